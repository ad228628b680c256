import type { FieldError } from '../../../api/field-error.ts';
import type { ServiceSpec } from '../../../api/generated/types.ts';
import { isHeadless } from '../../../api/kinds/core/service-rules.ts';
import { validateClusterIps } from '../../../api/kinds/core/service-validation.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { invalid } from '../../../api/validation/errors.ts';
import { type IpFamily, parseIp } from '../../../api/validation/ip.ts';

const policyField = 'spec.ipFamilyPolicy';

/**
 * Defaults ipFamilyPolicy and ipFamilies from what the client said, what was there (`previous`) and what the cluster has (`families`, the first
 * is the default). Returns what is wrong; of several things only those of the first kind
 * (kubernetes: pkg/registry/core/service/storage/alloc.go initIPFamilyFields).
 */
export function settleFamilies(
  spec: ServiceSpec,
  previous: ServiceSpec | undefined,
  families: readonly IpFamily[],
): FieldError[] {
  if (spec.type === 'ExternalName' || (previous && staysPreferred(spec, previous))) return [];
  spec.ipFamilyPolicy ??= previous?.ipFamilyPolicy ?? (isFree(spec) ? 'RequireDualStack' : 'SingleStack');
  const problems = validateClusterIps(spec);
  if (problems.length > 0) return problems;
  const errors = [...reduce(spec, previous), ...checkCount(spec), ...inferFamilies(spec, families)];
  if (errors.length > 0) return errors;
  if (!isFree(spec)) {
    const missing = checkConfigured(spec, families);
    if (missing.length > 0) return missing;
  }
  // Endpoints of a headless service without selector are its owner's: they may have addresses the cluster has not.
  completeFamilies(spec, { first: families[0]!, mayAdd: isFree(spec) || families.length > 1 });
  return [];
}

/** Headless and without a selector. */
const isFree = (spec: ServiceSpec): boolean => isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;

/** Services that prefer two families keep what they have when the cluster's families change. */
function staysPreferred(spec: ServiceSpec, previous: ServiceSpec): boolean {
  return (
    spec.type === previous.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    previous.ipFamilyPolicy === 'PreferDualStack' &&
    semanticEqual(spec.clusterIPs, previous.clusterIPs) &&
    semanticEqual(spec.ipFamilies, previous.ipFamilies)
  );
}

/** Asking for one family gives up the second; leaving it out does not. */
function reduce(spec: ServiceSpec, previous: ServiceSpec | undefined): FieldError[] {
  if (!previous) return [];
  const errors: FieldError[] = [];
  const what = { clusterIPs: 'cluster IP', ipFamilies: 'IP family' } as const;
  for (const field of ['clusterIPs', 'ipFamilies'] as const) {
    const now = spec[field] ?? [];
    const before = previous[field] ?? [];
    if (spec.ipFamilyPolicy === 'SingleStack') {
      if (now.length > 1 && semanticEqual(now, before)) spec[field] = now.slice(0, 1);
    } else if (now.length > 0 && now.length < before.length) {
      errors.push(invalid(policyField, spec.ipFamilyPolicy, `must be 'SingleStack' to release the secondary ${what[field]}`));
    }
  }
  return errors;
}

function checkCount({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): FieldError[] {
  if (ipFamilyPolicy !== 'SingleStack') return [];
  const refuse = (what: string): FieldError =>
    invalid(policyField, ipFamilyPolicy, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [
    ...(clusterIPs.length === 2 ? [refuse('cluster IPs')] : []),
    ...(ipFamilies.length === 2 ? [refuse('IP families')] : []),
  ];
}

/** Addresses that are asked for say their families. */
function inferFamilies(spec: ServiceSpec, families: readonly IpFamily[]): FieldError[] {
  const errors: FieldError[] = [];
  const list: string[] = [...(spec.ipFamilies ?? [])];
  const ips = isHeadless(spec) ? [] : (spec.clusterIPs ?? []);
  for (const [i, ip] of ips.entries()) {
    if (i < list.length) continue;
    const family = parseIp(ip)?.family;
    if (family && families.includes(family)) list.push(family);
    else errors.push(invalid(`spec.clusterIPs[${i}]`, ips, `${family} is not configured on this cluster`));
  }
  if (list.length > 0) spec.ipFamilies = list;
  return errors;
}

function checkConfigured({ ipFamilyPolicy, ipFamilies = [] }: ServiceSpec, families: readonly IpFamily[]): FieldError[] {
  const errors: FieldError[] = [];
  if (ipFamilyPolicy === 'RequireDualStack' && families.length < 2) {
    errors.push(invalid(policyField, ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  ipFamilies.forEach((family, i) => {
    if ((families as readonly string[]).includes(family)) return;
    errors.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  });
  return errors;
}

function completeFamilies(spec: ServiceSpec, { first, mayAdd }: { first: IpFamily; mayAdd: boolean }): void {
  const list = spec.ipFamilies?.length ? [...spec.ipFamilies] : [first];
  if (spec.ipFamilyPolicy !== 'SingleStack' && list.length === 1 && mayAdd) list.push(list[0] === 'IPv4' ? 'IPv6' : 'IPv4');
  spec.ipFamilies = list;
}
