import type { Container, Pod, ResourceQuota } from '../../../api/generated/types.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { type Amounts, addAmounts, amountsOf, growth, resourceListOf } from '../../../api/quota/amounts.ts';
import { quotaMatches } from '../../../api/quota/quota-scopes.ts';
import { computeUsage, quotaConcerns, quotaUsage } from '../../../api/quota/quota-usage.ts';

export interface Charge {
  /** Why the object does not fit, in upstream's words. */
  readonly problem?: string;
  /** The quota's new status.used; absent when nothing changes. */
  readonly used?: Record<string, string>;
}

interface Write {
  readonly kind: { readonly group: string; readonly plural: string };
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

/** What a write means for one quota. Pure. */
export function chargeFor(quota: ResourceQuota, write: Write, nowMs: number): Charge {
  const { kind, object, oldObject } = write;
  if (!object || !quotaMatches(quota, kind, object)) return {};
  const hard = quota.status?.hard ?? {};
  const used = quota.status?.used ?? {};
  const concerned = Object.keys(hard).filter((resource) => quotaConcerns(kind, resource));
  const name = quota.metadata.name;
  const isPod = kind.group === '' && kind.plural === 'pods';
  const missing = isPod ? missingResources(object as Pod, concerned) : '';
  if (missing) return { problem: `failed quota: ${name}: must specify ${missing}` };
  if (concerned.some((resource) => used[resource] === undefined))
    return { problem: `status unknown for quota: ${name}, resources: ${concerned.sort().join(',')}` };
  const before = oldObject && quotaMatches(quota, kind, oldObject) ? quotaUsage(kind, oldObject, nowMs) : new Map();
  const requested = pick(growth(quotaUsage(kind, object, nowMs), before), Object.keys(hard));
  if (requested.size === 0) return {};
  const usedNow = amountsOf(used);
  const usedThen = addAmounts(new Map(usedNow), requested);
  const limits = amountsOf(hard);
  const exceeded = [...requested.keys()].filter((resource) => usedThen.get(resource)!.nanos > limits.get(resource)!.nanos);
  if (exceeded.length > 0) {
    const [want, have, max] = [requested, usedNow, limits].map((amounts) => listed(pick(amounts, exceeded)));
    return { problem: `exceeded quota: ${name}, requested: ${want}, used: ${have}, limited: ${max}` };
  }
  return { used: resourceListOf(usedThen) };
}

function pick(amounts: Amounts, names: readonly string[]): Amounts {
  return new Map([...amounts].filter(([name]) => names.includes(name)));
}

const listed = (amounts: Amounts): string =>
  Object.entries(resourceListOf(amounts))
    .map(([name, amount]) => `${name}=${amount}`)
    .sort()
    .join(',');

const demanded = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);

/** Where cpu or memory is limited every container must say what it needs: `limits.cpu for: a,b; memory for: a`. */
function missingResources(pod: Pod, concerned: readonly string[]): string {
  if (pod.spec?.resources) return '';
  const containers: Container[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const lacking = (resource: string): string[] =>
    containers
      .filter(({ resources }) => !computeUsage(amountsOf(resources?.requests), amountsOf(resources?.limits)).has(resource))
      .map((container) => container.name)
      .sort();
  return concerned
    .filter((resource) => demanded.has(resource))
    .sort()
    .map((resource) => ({ resource, names: lacking(resource) }))
    .filter(({ names }) => names.length > 0)
    .map(({ resource, names }) => `${resource} for: ${names.join(',')}`)
    .join('; ');
}
