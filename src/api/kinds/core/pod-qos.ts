import type * as t from '../../generated/types.ts';
import { nanos } from '../../validation/quantities.ts';

const computeResources = ['cpu', 'memory'] as const;

/**
 * The QoS class of a pod: Guaranteed when every container (or the pod) has limits of cpu and memory and requests equal to them, BestEffort
 * when nobody asks for anything. kubernetes: pkg/apis/core/helper/qos.
 */
export function qosClass(spec: t.PodSpec): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const holders = spec.resources ? [spec] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  const requests = { cpu: 0n, memory: 0n };
  const limits = { cpu: 0n, memory: 0n };
  let allLimited = true;
  for (const { resources } of holders) {
    for (const resource of computeResources) {
      const limit = nanos(resources?.limits?.[resource]);
      if (limit <= 0n) allLimited = false;
      limits[resource] += limit;
      requests[resource] += nanos(resources?.requests?.[resource]);
    }
  }
  const isNothing = computeResources.every((r) => requests[r] === 0n && limits[r] === 0n);
  if (isNothing) return 'BestEffort';
  return allLimited && computeResources.every((r) => requests[r] === limits[r]) ? 'Guaranteed' : 'Burstable';
}
