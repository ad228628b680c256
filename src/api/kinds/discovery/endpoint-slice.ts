import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, unset } from '../../table/columns.ts';
import { checkEnum, checkGiven, checkImmutable, checkText, requireEnum } from '../../validation/checks.ts';
import { equalMaps } from '../../validation/equal.ts';
import { duplicate, invalid, required, tooMany } from '../../validation/errors.ts';
import { formatIp, ipMessage, parseIp } from '../../validation/ip.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName, type TextRule } from '../../validation/names.ts';
import { warnOfIp } from '../../validation/warnings.ts';
import { protocols } from '../core/container-validation.ts';
import { checkEndpointIp } from '../core/endpoint-ip.ts';
import { contentChanged, setGeneration } from '../strategy.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const maxEndpoints = 1000;
const maxPorts = 20_000;
const maxAddresses = 100;
const maxHints = 8;
/** How many ports and addresses kubectl shows. */
const shown = 3;

export type EndpointSlice = t.EndpointSlice;
export const EndpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  scope: 'Namespaced',
  applyDefaults(slice) {
    // Known only to the version before this one.
    for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate(slice) {
    slice.metadata.generation = 1;
  },
  prepareForUpdate(next, previous) {
    const relabelled = !equalMaps(next.metadata.labels, previous.metadata.labels);
    setGeneration(next, previous, relabelled || contentChanged(next, previous));
  },
  validate: validateEndpointSlice,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'addressType', next.addressType, previous.addressType);
    return errors;
  },
  warnings(slice, previous) {
    const warnings: string[] = [];
    if (!previous && slice.addressType === 'FQDN') warnings.push('spec.addressType: FQDN endpoints are deprecated');
    // Our own controllers write addresses as they should be.
    if (slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by']?.endsWith('-controller.k8s.io')) return warnings;
    slice.endpoints?.forEach(({ addresses = [] }, i) => {
      addresses.forEach((ip, a) => {
        warnOfIp(warnings, `endpoints[${i}].addresses[${a}]`, ip);
      });
    });
    return warnings;
  },
  columns: [
    nameColumn,
    { name: 'AddressType', type: 'string', cell: (slice) => slice.addressType ?? '' },
    { name: 'Ports', type: 'string', cell: (slice) => listText((slice.ports ?? []).map(portText)) },
    { name: 'Endpoints', type: 'string', cell: (slice) => listText((slice.endpoints ?? []).flatMap((e) => e.addresses ?? [])) },
    ageColumn,
  ],
});

/** kubernetes: pkg/apis/discovery/validation/validation.go. */
function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  requireEnum(errors, 'addressType', slice.addressType, addressTypes);
  const { endpoints = [], ports = [] } = slice;
  if (endpoints.length > maxEndpoints) errors.push(tooMany('endpoints', endpoints.length, maxEndpoints));
  else for (let i = 0; i < endpoints.length; i++) checkEndpoint(errors, `endpoints[${i}]`, endpoints[i]!, slice.addressType);
  if (ports.length > maxPorts) errors.push(tooMany('ports', ports.length, maxPorts));
  const names = new Set<string>();
  ports.forEach((port, i) => {
    checkText(errors, `ports[${i}].name`, port.name, dns1123Label);
    if (names.has(port.name ?? '')) errors.push(duplicate(`ports[${i}].name`, port.name ?? ''));
    names.add(port.name ?? '');
    if (port.protocol === undefined) errors.push(required(`ports[${i}].protocol`));
    checkEnum(errors, `ports[${i}].protocol`, port.protocol, protocols);
    checkGiven(errors, `ports[${i}].appProtocol`, port.appProtocol, qualifiedName);
  });
  return errors;
}

function checkEndpoint(errors: FieldError[], at: string, endpoint: t.Endpoint, type: string): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) errors.push(required(`${at}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > maxAddresses) errors.push(tooMany(`${at}.addresses`, addresses.length, maxAddresses));
  for (const [i, address] of addresses.entries()) {
    const field = `${at}.addresses[${i}]`;
    if (type === 'FQDN') checkName(errors, field, address);
    else if (type === 'IPv4' || type === 'IPv6') checkAddress(errors, `${at}.addresses`, i, { address, type });
  }
  checkGiven(errors, `${at}.nodeName`, endpoint.nodeName, dns1123Subdomain);
  checkGiven(errors, `${at}.hostname`, endpoint.hostname, dns1123Label);
  checkHints(errors, `${at}.hints.forZones`, endpoint.hints?.forZones, labelValue);
  checkHints(errors, `${at}.hints.forNodes`, endpoint.hints?.forNodes, dns1123Subdomain);
}

function checkHints(
  errors: FieldError[],
  field: string,
  hints: readonly { name?: string }[] = [],
  rule: TextRule = labelValue,
): void {
  if (hints.length > maxHints) {
    errors.push(tooMany(field, hints.length, maxHints));
    return;
  }
  const names = new Set<string>();
  hints.forEach(({ name = '' }, i) => {
    if (names.has(name)) errors.push(duplicate(`${field}[${i}].name`, name));
    names.add(name);
    checkGiven(errors, `${field}[${i}].name`, name, rule);
  });
}

function checkName(errors: FieldError[], field: string, name: string): void {
  if (name === '') errors.push(required(field));
  else {
    const problems = dns1123Subdomain(name.replace(/\.$/, ''));
    if (problems.length > 0) errors.push(invalid(field, name, problems.join(',')));
    else if (name.split('.').length < 2) {
      errors.push(invalid(field, name, 'should be a domain with at least two segments separated by dots'));
    }
  }
}

function checkAddress(
  errors: FieldError[],
  list: string,
  i: number,
  { address, type }: { address: string; type: 'IPv4' | 'IPv6' },
): void {
  const field = `${list}[${i}]`;
  const ip = parseIp(address);
  if (!ip) {
    errors.push(invalid(field, address, ipMessage));
    return;
  }
  if (type === 'IPv6' && formatIp(ip) !== address) {
    errors.push(invalid(field, address, `must be in canonical form ("${formatIp(ip)}")`));
    return;
  }
  if (ip.family !== type) errors.push(invalid(list, address, `must be an ${type} address`));
  checkEndpointIp(errors, field, address);
}

const portText = (port: t.DiscoveryEndpointPort): string => String(port.port ?? port.name ?? '*');

function listText(items: readonly string[]): string {
  if (items.length === 0) return unset;
  const text = items.slice(0, shown).join(',');
  return items.length > shown ? `${text} + ${items.length - shown} more...` : text;
}
