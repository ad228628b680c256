import type { PersistentVolumeClaim, Pod, ResourceClaim, Service } from '../generated/types.ts';
import type { KubeObject } from '../meta.ts';
import { storageClassOf } from '../storage-class-name.ts';
import { type Amounts, addAmounts, amountsOf, pieces } from './amounts.ts';
import { podResources } from './pod-resources.ts';

/** Kinds that may be limited by their bare plural, besides `count/<plural>.<group>` which exists for all. */
const countedByPlural = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
]);

const devicesSuffix = '.deviceclass.resource.k8s.io/devices';
/** What a request for all devices may bring at most. */
const maxDevicesOfClaim = 32;

/**
 * What one object takes from the quotas of its namespace, by the names quotas use (pkg/quota/v1/evaluator/core). Pure: `nowMs` decides
 * whether a deleted pod is past its grace period.
 */
export function quotaUsage(kind: { group: string; plural: string }, object: KubeObject, nowMs: number): Amounts {
  const { group, plural } = kind;
  const usage: Amounts = new Map([[`count/${group ? `${plural}.${group}` : plural}`, pieces(1)]]);
  if (isResourceClaim(kind)) return addAmounts(usage, devicesUsage(object as ResourceClaim));
  if (group !== '') return usage;
  if (plural === 'pods') return addAmounts(usage, podUsage(object as Pod, nowMs));
  if (countedByPlural.has(plural)) usage.set(plural, pieces(1));
  if (plural === 'services') return addAmounts(usage, serviceUsage(object as Service));
  if (plural === 'persistentvolumeclaims') return addAmounts(usage, claimUsage(object as PersistentVolumeClaim));
  return usage;
}

/** Whether a quota may name this resource for the kind, e.g. `requests.cpu` for pods. */
export function quotaConcerns(kind: { group: string; plural: string }, resource: string): boolean {
  const { group, plural } = kind;
  if (resource === `count/${group ? `${plural}.${group}` : plural}`) return true;
  if (isResourceClaim(kind)) return resource.endsWith(devicesSuffix);
  if (group !== '') return false;
  if (plural === 'pods') return resource === 'pods' || isPodResource(resource);
  if (plural === 'services') return /^services(\.loadbalancers|\.nodeports)?$/.test(resource);
  if (plural === 'persistentvolumeclaims')
    return /(^|\.storageclass\.storage\.k8s\.io\/)(persistentvolumeclaims|requests\.storage)$/.test(resource);
  return countedByPlural.has(plural) && resource === plural;
}

function isPodResource(resource: string): boolean {
  if (/^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.test(resource)) return true;
  if (/^(requests\.)?hugepages-/.test(resource)) return true;
  return resource.startsWith('requests.') && resource.includes('/');
}

/** Terminal pods, and those that should long be gone, only count as objects. */
function podUsage(pod: Pod, nowMs: number): Amounts {
  const { phase } = pod.status ?? {};
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (phase === 'Failed' || phase === 'Succeeded') return new Map();
  if (deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined)
    if (nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000) return new Map();
  return computeUsage(podResources(pod, 'requests'), podResources(pod, 'limits'));
}

/** `cpu` and `requests.cpu` are the same; limits have their own names. */
export function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Amounts = new Map([['pods', pieces(1)]]);
  for (const [name, quantity] of requests) {
    const isCompute = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-');
    if (isCompute) usage.set(name, quantity);
    if (isCompute || name.includes('/')) usage.set(`requests.${name}`, quantity);
  }
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) {
    const limit = limits.get(name);
    if (limit) usage.set(`limits.${name}`, limit);
  }
  return usage;
}

function serviceUsage({ spec }: Service): Amounts {
  const usage: Amounts = new Map();
  const ports = spec?.ports?.length ?? 0;
  const isBalanced = spec?.type === 'LoadBalancer';
  if (isBalanced) usage.set('services.loadbalancers', pieces(1));
  if (spec?.type === 'NodePort' || (isBalanced && spec?.allocateLoadBalancerNodePorts !== false))
    usage.set('services.nodeports', pieces(ports));
  else if (isBalanced) usage.set('services.nodeports', pieces((spec?.ports ?? []).filter((p) => p.nodePort).length));
  return usage;
}

function claimUsage(claim: PersistentVolumeClaim): Amounts {
  const storageClass = storageClassOf(claim);
  const usage: Amounts = new Map();
  const perClass = `${storageClass}.storageclass.storage.k8s.io`;
  if (storageClass) usage.set(`${perClass}/persistentvolumeclaims`, pieces(1));
  const requested = amountsOf(claim.spec?.resources?.requests).get('storage');
  const allocated = amountsOf(claim.status?.allocatedResources).get('storage');
  const size = requested && allocated && allocated.nanos > requested.nanos ? allocated : requested;
  if (!size) return usage;
  usage.set('requests.storage', size);
  if (storageClass) usage.set(`${perClass}/requests.storage`, size);
  return usage;
}

function isResourceClaim({ group, plural }: { group: string; plural: string }): boolean {
  return group === 'resource.k8s.io' && plural === 'resourceclaims';
}

/** Devices per class; of alternatives the one that takes the most of a class. */
function devicesUsage({ spec }: ResourceClaim): Amounts {
  const usage: Amounts = new Map();
  for (const { exactly, firstAvailable } of spec.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count = 1 } of firstAvailable ?? (exactly ? [exactly] : [])) {
      const devices = allocationMode === 'All' ? maxDevicesOfClaim : count;
      most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
    }
    addAmounts(usage, new Map([...most].map(([name, devices]) => [`${name}${devicesSuffix}`, pieces(devices)])));
  }
  return usage;
}
