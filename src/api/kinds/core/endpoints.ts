import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { checkGiven, checkPort, checkText, requireEnum } from '../../validation/checks.ts';
import { required } from '../../validation/errors.ts';
import { requireIp } from '../../validation/ip.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../../validation/names.ts';
import { warnOfIp } from '../../validation/warnings.ts';
import { protocols } from './container-validation.ts';
import { checkEndpointIp } from './endpoint-ip.ts';

/** How many addresses kubectl shows. */
const shownAddresses = 3;

export type Endpoints = t.Endpoints;
export const Endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  scope: 'Namespaced',
  allowCreateOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  applyDefaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
  },
  validate(endpoints) {
    const errors: FieldError[] = [];
    endpoints.subsets?.forEach((subset, i) => {
      checkSubset(errors, `subsets[${i}]`, subset);
    });
    return errors;
  },
  warnings({ metadata, subsets = [] }) {
    const warnings: string[] = [];
    if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return warnings;
    subsets.forEach((subset, i) => {
      for (const list of ['addresses', 'notReadyAddresses'] as const) {
        subset[list]?.forEach(({ ip }, a) => {
          warnOfIp(warnings, `subsets[${i}].${list}[${a}].ip`, ip);
        });
      }
    });
    return warnings;
  },
  columns: [nameColumn, { name: 'Endpoints', type: 'string', cell: addressesText }, ageColumn],
});

function checkSubset(errors: FieldError[], at: string, subset: t.EndpointSubset): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
  }
  for (const [field, list] of [
    ['addresses', addresses],
    ['notReadyAddresses', notReadyAddresses],
  ] as const) {
    list.forEach((address, i) => {
      checkText(errors, `${at}.${field}[${i}].hostname`, address.hostname, dns1123Label);
      checkGiven(errors, `${at}.${field}[${i}].nodeName`, address.nodeName, dns1123Subdomain);
      requireIp(errors, `${at}.${field}[${i}].ip`, address.ip);
      checkEndpointIp(errors, `${at}.${field}[${i}].ip`, address.ip ?? '');
    });
  }
  ports.forEach((port, i) => {
    const field = `${at}.ports[${i}]`;
    if (ports.length > 1 && !port.name) errors.push(required(`${field}.name`));
    checkText(errors, `${field}.name`, port.name, dns1123Label);
    checkPort(errors, `${field}.port`, port.port ?? 0);
    requireEnum(errors, `${field}.protocol`, port.protocol, protocols);
    checkGiven(errors, `${field}.appProtocol`, port.appProtocol, qualifiedName);
  });
}

function addressesText({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map((a) => a.ip)
      : ports.flatMap((port) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port.port}` : `${ip}:${port.port}`))),
  );
  if (subsets.length === 0) return none;
  const text = all.slice(0, shownAddresses).join(',');
  return all.length > shownAddresses ? `${text} + ${all.length - shownAddresses} more...` : text;
}
