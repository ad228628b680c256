import type { FieldError } from '../../../api/field-error.ts';
import type { ServiceSpec } from '../../../api/generated/types.ts';
import { type IpFamily, parseIp } from '../../../api/validation/ip.ts';

/**
 * Defaults ipFamilyPolicy and ipFamilies from what the client said and what the cluster has (`families`, the first is the default).
 * Returns what is wrong (kubernetes: pkg/registry/core/service/storage/alloc.go initIPFamilyFields).
 */
export function settleFamilies(spec: ServiceSpec, families: readonly IpFamily[]): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const errors = familyErrors(spec, families);
  if (errors.length > 0) return errors;
  const addresses = (spec.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '');
  const headless = spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None';
  const free = headless && Object.keys(spec.selector ?? {}).length === 0;
  if (!spec.ipFamilyPolicy) {
    const two = addresses.length > 1 || (spec.ipFamilies?.length ?? 0) > 1;
    spec.ipFamilyPolicy = free || two ? 'RequireDualStack' : 'SingleStack';
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2 && !free) {
    const message = 'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services';
    return [{ reason: 'FieldValueInvalid', field: 'spec.ipFamilyPolicy', message }];
  }
  settleList(spec, { families, addresses, free });
  return [];
}

function settleList(
  spec: ServiceSpec,
  known: { families: readonly IpFamily[]; addresses: readonly string[]; free: boolean },
): void {
  const { families, addresses, free } = known;
  const list = spec.ipFamilies?.length ? [...spec.ipFamilies] : addresses.map((ip) => parseIp(ip)?.family ?? families[0]!);
  if (list.length === 0) list.push(families[0]!);
  if (spec.ipFamilyPolicy === 'SingleStack') list.length = 1;
  else if (list.length === 1) {
    const other = list[0] === 'IPv4' ? 'IPv6' : 'IPv4';
    // Endpoints of a headless service without selector are its owner's: they may have addresses the cluster has not.
    if (families.includes(other) || (free && spec.ipFamilyPolicy === 'RequireDualStack')) list.push(other);
  }
  spec.ipFamilies = list;
  if (spec.clusterIPs && list.length < spec.clusterIPs.length) spec.clusterIPs = spec.clusterIPs.slice(0, list.length);
}

function familyErrors(spec: ServiceSpec, families: readonly IpFamily[]): FieldError[] {
  const headlessFree = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  if (headlessFree) return [];
  const errors: FieldError[] = [];
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if ((families as readonly string[]).includes(family)) continue;
    const message = `Invalid value: ${JSON.stringify(family)}: not configured on this cluster`;
    errors.push({ reason: 'FieldValueInvalid', field: `spec.ipFamilies[${i}]`, message });
  }
  return errors;
}
