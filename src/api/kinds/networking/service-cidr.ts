import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { fieldIsImmutable } from '../../validation/checks.ts';
import { invalid, required } from '../../validation/errors.ts';
import { cidrMessage, formatIp, isNetworkAddress, parseCidr } from '../../validation/ip.ts';
import { statusSubresource } from '../subresources.ts';

export type ServiceCIDR = t.ServiceCIDR;
export const ServiceCIDR = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  applyDefaults(range) {
    range.spec ??= {};
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validateCreate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkRanges(errors, spec.cidrs ?? []);
    return errors;
  },
  /** A single family may become two. */
  validateUpdate({ spec: { cidrs: next = [] } }, { spec: { cidrs: previous = [] } }) {
    const isSecond = previous.length === 1 && next.length === 2;
    if (next.length !== previous.length && !isSecond) return [invalid('spec.cidrs', next, fieldIsImmutable)];
    const errors: FieldError[] = [];
    for (const [i, cidr] of previous.entries()) {
      if (next[i] !== cidr) errors.push(invalid(`spec.cidrs[${i}]`, next[i], fieldIsImmutable));
    }
    if (isSecond) checkRanges(errors, next);
    return errors;
  },
  columns: [nameColumn, { name: 'CIDRs', type: 'string', cell: (range) => (range.spec?.cidrs ?? []).join(',') }, ageColumn],
});

/** Whether Services may get addresses of the range. */
export const isReady = ({ status }: ServiceCIDR): boolean =>
  status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;

function checkRanges(errors: FieldError[], cidrs: readonly string[]): void {
  if (cidrs.length === 0) errors.push(required('spec.cidrs', 'at least one CIDR required'));
  else if (cidrs.length > 2) errors.push(invalid('spec.cidrs', { CIDRs: cidrs }, 'may only hold up to 2 values'));
  else {
    cidrs.forEach((cidr, i) => {
      checkCanonical(errors, `spec.cidrs[${i}]`, cidr);
    });
    const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.family);
    if (second && first === second) {
      const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
      errors.push(invalid('spec.cidrs', cidrs, detail));
    }
  }
}

function checkCanonical(errors: FieldError[], field: string, text: string): void {
  const cidr = parseCidr(text);
  if (!cidr) {
    errors.push(invalid(field, text, cidrMessage));
    return;
  }
  if (!isNetworkAddress(cidr)) {
    errors.push(invalid(field, text, 'must not have bits set beyond the prefix length'));
  }
  const canonical = `${formatIp(cidr)}/${cidr.prefix}`;
  if (canonical !== text) errors.push(invalid(field, text, `must be in canonical form ("${canonical}")`));
}
