import type { Container, Pod } from '../../api/generated/types.ts';
import { quantityValue as bytesOf, quantityMilliValue as milliOf } from '../../lib/quantity.ts';
import type { LinuxResources } from '../../runtime/runtime.ts';
import { allContainers, isSidecar, qosClass } from './qos.ts';

const cpuPeriodUs = 100_000;
const minQuotaUs = 1_000;
const minShares = 2;
const maxShares = 262_144;
/** The kernel's default when nothing is asked for. */
const guaranteedOomScore = -997;
const bestEffortOomScore = 1_000;

/** cgroup v1 CPU shares of a request in thousandths of a core; 2 when nothing is requested. */
export function cpuShares(milli: number): number {
  if (milli <= 0) return minShares;
  return Math.min(Math.max(Math.floor((milli * 1024) / 1000), minShares), maxShares);
}

/** The CFS quota per 100 ms of a limit in thousandths of a core; undefined without a limit. */
export function cpuQuota(milli: number): number | undefined {
  if (milli <= 0) return undefined;
  return Math.max(Math.floor((milli * cpuPeriodUs) / 1000), minQuotaUs);
}

/** What the runtime enforces for one container. `unified` is given on cgroup v2 only. */
export function containerResources(
  pod: Pod,
  container: Container,
  node: { memoryBytes: number; cgroupVersion: 1 | 2 },
): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const quota = cpuQuota(milliOf(limits?.['cpu']));
  const memory = bytesOf(limits?.['memory']);
  return {
    cpuShares: cpuShares(milliOf(requests?.['cpu'] ?? limits?.['cpu'])),
    ...(quota === undefined ? {} : { cpuQuota: quota, cpuPeriod: cpuPeriodUs }),
    ...(memory > 0 ? { memoryLimitBytes: memory } : {}),
    oomScoreAdj: oomScoreAdj(pod, container, node.memoryBytes),
    // One process killed for memory leaves the rest of a container in an unknown state: the kernel kills all of them.
    ...(node.cgroupVersion === 2 ? { unified: { 'memory.oom.group': '1' } } : {}),
  };
}

/** How eagerly the kernel kills the container under memory pressure: the less of its memory it requested, the sooner. */
export function oomScoreAdj(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if (isNodeCritical(pod)) return guaranteedOomScore;
  switch (qosClass(pod)) {
    case 'Guaranteed':
      return guaranteedOomScore;
    case 'BestEffort':
      return bestEffortOomScore;
    case 'Burstable': {
      const requested = bytesOf(container.resources?.requests?.['memory']);
      const score = Math.floor(1000 - (1000 * requested) / Math.max(1, nodeMemoryBytes));
      return Math.min(Math.max(score, 1000 + guaranteedOomScore), bestEffortOomScore - 1);
    }
  }
}

const systemNodeCriticalPriority = 2_000_001_000;
const isNodeCritical = (pod: Pod): boolean => (pod.spec.priority ?? 0) >= systemNodeCriticalPriority;

/** Limits of a pod's own cgroup: quota and memory only where every container has that limit. */
export interface PodLimits {
  readonly cpuShares: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryBytes?: number;
}

export function podLimits(pod: Pod): PodLimits {
  const quota = cpuQuota(effective(pod, 'limits', 'cpu', milliOf, true));
  const memory = effective(pod, 'limits', 'memory', bytesOf, true);
  return {
    cpuShares: cpuShares(effective(pod, 'requests', 'cpu', milliOf, false)),
    ...(quota === undefined ? {} : { cpuQuota: quota, cpuPeriod: cpuPeriodUs }),
    ...(memory > 0 ? { memoryBytes: memory } : {}),
  };
}

/**
 * What a pod takes of a resource: containers and sidecars together, or the largest init container with the sidecars before it, plus the
 * overhead. With `complete`, 0 when a container does not say.
 */
function effective(
  pod: Pod,
  side: 'requests' | 'limits',
  resource: string,
  value: (quantity: string | undefined) => number,
  complete: boolean,
): number {
  const own = pod.spec.resources?.[side]?.[resource];
  const of = (c: Container): number =>
    value(c.resources?.[side]?.[resource] ?? (side === 'requests' ? c.resources?.limits?.[resource] : undefined));
  const overhead = value(pod.spec.overhead?.[resource]);
  if (own !== undefined) return value(own) + overhead;
  if (complete && allContainers(pod).some((c) => of(c) === 0)) return 0;
  let sidecars = 0;
  let largestInit = 0;
  for (const init of pod.spec.initContainers ?? []) {
    if (isSidecar(init)) sidecars += of(init);
    else largestInit = Math.max(largestInit, sidecars + of(init));
  }
  const together = pod.spec.containers.reduce((sum, c) => sum + of(c), sidecars);
  const total = Math.max(together, largestInit);
  return total === 0 ? 0 : total + overhead;
}
