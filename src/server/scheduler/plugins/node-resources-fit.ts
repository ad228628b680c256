import { type FilterPlugin, maxScore, type Rejection, type ScorePlugin } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { type Amounts, podRequests } from '../resources.ts';

/** A node must have room for what the pod requests. */
export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  wokenBy: ['NodeAdd', 'NodeUpdate', 'PodDelete', 'PodUpdate'],
  prepare(pod) {
    const requests = podRequests(pod);
    return (node) => insufficient(requests, node);
  },
};

function insufficient(requests: Amounts, node: NodeInfo): Rejection | undefined {
  const reasons: string[] = [];
  let unresolvable = false;
  if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
  for (const [name, amount] of requests) {
    if (amount === 0) continue;
    const allocatable = node.allocatable.get(name) ?? 0;
    if (amount <= allocatable - (node.requested.get(name) ?? 0)) continue;
    reasons.push(`Insufficient ${name}`);
    // More than the whole node has: evicting others would not help.
    unresolvable ||= amount > allocatable;
  }
  return reasons.length > 0 ? { reasons, unresolvable } : undefined;
}

/** Prefers the nodes with the most room left (upstream: LeastAllocated, CPU and memory with weight 1). */
export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  score(pod, nodes) {
    const requests = podRequests(pod, true);
    return nodes.map((node) => {
      const shares = ['cpu', 'memory'].map((name) => freeShare(name, requests, node)).filter((share) => share !== undefined);
      return shares.length === 0 ? 0 : Math.floor(shares.reduce((a, b) => a + b, 0) / shares.length);
    });
  },
};

function freeShare(name: string, requests: Amounts, node: NodeInfo): number | undefined {
  const allocatable = node.allocatable.get(name) ?? 0;
  if (allocatable === 0) return undefined;
  const used = (node.assumedRequested.get(name) ?? 0) + (requests.get(name) ?? 0);
  return used > allocatable ? 0 : Math.floor(((allocatable - used) * maxScore) / allocatable);
}

/** Prefers nodes on which CPU and memory are used up in step (upstream: NodeResourcesBalancedAllocation). */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score(pod, nodes) {
    const requests = podRequests(pod);
    if ((requests.get('cpu') ?? 0) === 0 && (requests.get('memory') ?? 0) === 0) return undefined;
    return nodes.map((node) => {
      const fractions = ['cpu', 'memory'].map((name) => usedFraction(name, requests, node));
      return Math.floor((1 - Math.abs(fractions[0]! - fractions[1]!) / 2) * maxScore);
    });
  },
};

function usedFraction(name: string, requests: Amounts, node: NodeInfo): number {
  const allocatable = node.allocatable.get(name) ?? 0;
  if (allocatable === 0) return 0;
  return Math.min(1, ((node.requested.get(name) ?? 0) + (requests.get(name) ?? 0)) / allocatable);
}
