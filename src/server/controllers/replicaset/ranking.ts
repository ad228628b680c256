import type { Pod } from '../../../api/kinds/core/pod.ts';
import { millisecondsOf } from '../../../api/timestamp.ts';
import { isReady, maxRestarts, readySinceMs } from '../support/pods.ts';

const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The `count` pods a scale-down loses, in upstream's order (pkg/controller/controller_utils.go, ActivePodsWithRanks): unassigned before
 * assigned, pending before running, not ready before ready, cheap before dear, crowded nodes first, younger first.
 * `related` are the pods of all sets with the same owner: they decide how crowded a node is.
 */
export function podsToDelete(pods: readonly Pod[], count: number, related: readonly Pod[], nowMs: number): Pod[] {
  if (count >= pods.length) return [...pods];
  const crowd = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec.nodeName;
    if (node) crowd.set(node, (crowd.get(node) ?? 0) + 1);
  }
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, crowd.get(pod.spec.nodeName ?? '') ?? 0, nowMs) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  return ranked.slice(0, count).map(({ pod }) => pod);
}

/** Smaller goes first, compared from left to right. */
function rankOf(pod: Pod, crowd: number, nowMs: number): readonly number[] {
  return [
    pod.spec.nodeName ? 1 : 0,
    phaseOrder[pod.status.phase ?? ''] ?? 1,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.[deletionCostAnnotation]) || 0,
    -crowd,
    isReady(pod) ? ageBucket(readySinceMs(pod), nowMs) : 0,
    -maxRestarts(pod),
    ageBucket(millisecondsOf(pod.metadata.creationTimestamp), nowMs),
  ];
}

/** Ages count by powers of two of seconds, so that the very youngest are not always the ones to go. */
function ageBucket(sinceMs: number, nowMs: number): number {
  if (sinceMs === 0) return -1;
  return Math.floor(Math.log2(Math.max(1, (nowMs - sinceMs) / 1000)));
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
