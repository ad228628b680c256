import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { nameColumn, none } from '../../table/columns.ts';
import { checkImmutable, checkText, requireText } from '../../validation/checks.ts';
import { invalid, required } from '../../validation/errors.ts';
import { formatIp, ipMessage, parseIp } from '../../validation/ip.ts';
import { dns1123Subdomain, pathSegment } from '../../validation/names.ts';

/** Who keeps an IPAddress up to date, and of which family it is. */
export const managedBy = { label: 'ipaddress.kubernetes.io/managed-by', allocator: 'ipallocator.k8s.io' } as const;
export const ipFamilyLabel = 'ipaddress.kubernetes.io/ip-family';

export type IPAddress = t.IPAddress;
/** The allocation of one address: the name is the address. */
export const IPAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  scope: 'Cluster',
  nameRule: 'pathSegment',
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    checkName(errors, metadata.name ?? '');
    const parent = spec?.parentRef;
    if (!parent) return [...errors, required('spec.parentRef')];
    checkText(errors, 'spec.parentRef.group', parent.group, dns1123Subdomain);
    requireText(errors, 'spec.parentRef.resource', parent.resource, pathSegment);
    requireText(errors, 'spec.parentRef.name', parent.name, pathSegment);
    checkText(errors, 'spec.parentRef.namespace', parent.namespace, pathSegment);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.parentRef', next.spec?.parentRef, previous.spec?.parentRef);
    return errors;
  },
  columns: [nameColumn, { name: 'ParentRef', type: 'string', cell: parentText }],
});

function checkName(errors: FieldError[], name: string): void {
  const ip = parseIp(name);
  if (!name) return;
  if (!ip) errors.push(invalid('metadata.name', name, ipMessage));
  else if (formatIp(ip) !== name) {
    errors.push(invalid('metadata.name', name, `must be in canonical form ("${formatIp(ip)}")`));
  }
}

/** `services/default/kubernetes` */
function parentText({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (!parent) return none;
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource;
  return [resource.toLowerCase(), parent.namespace, parent.name].filter(Boolean).join('/');
}
