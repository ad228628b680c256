import type { NodeCondition, Taint } from '../../../api/generated/types.ts';
import type { Node } from '../../../api/kinds/core/node.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { conditionOf } from '../support/conditions.ts';

const notReadyKey = 'node.kubernetes.io/not-ready';
const unreachableKey = 'node.kubernetes.io/unreachable';
const unschedulableKey = 'node.kubernetes.io/unschedulable';

/** Condition type → status → the taint that stands for it. */
const conditionTaints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyKey, Unknown: unreachableKey },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const managedNoSchedule = new Set([
  unschedulableKey,
  ...Object.values(conditionTaints).flatMap((byStatus) => Object.values(byStatus)),
]);
const managedNoExecute = new Set([notReadyKey, unreachableKey]);

/** Conditions the agent reports: when it falls silent nobody knows them any more. */
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** What the node says of itself: True, False, or Unknown, also when it says nothing. */
export function readyStatusOf(node: Node): string {
  return conditionOf(node.status.conditions, 'Ready')?.status ?? 'Unknown';
}

/** The conditions of a node whose agent has not been heard of for too long: all it reports becomes Unknown. */
export function silentConditions(node: Node, nowMs: number): NodeCondition[] {
  const now = timestamp(nowMs);
  const silent = (condition: NodeCondition): NodeCondition =>
    condition.status === 'Unknown' || !reportedConditions.includes(condition.type)
      ? condition
      : {
          ...condition,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: now,
        };
  const known = (node.status.conditions ?? []).map(silent);
  const never = reportedConditions
    .filter((type) => !conditionOf(known, type))
    .map((type) => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime: now,
    }));
  return [...known, ...never];
}

/**
 * The taints a node should have: NoSchedule for each condition and for a cordon, NoExecute when it is not ready or unreachable. Taints of
 * others stay. `evict` is false when no node of the cluster is well: then the fault is hardly with all of them, and nobody is evicted.
 */
export function taintsOf(node: Node, options: { evict: boolean; nowMs: number }): Taint[] {
  const existing = node.spec.taints ?? [];
  const wanted: Taint[] = [];
  for (const { type, status } of node.status.conditions ?? []) {
    const key = conditionTaints[type]?.[status];
    if (key) wanted.push({ key, effect: 'NoSchedule' });
  }
  if (node.spec.unschedulable) wanted.push({ key: unschedulableKey, effect: 'NoSchedule' });
  const ready = conditionOf(node.status.conditions, 'Ready')?.status;
  const executeKey = ready === undefined || !options.evict ? undefined : conditionTaints['Ready']?.[ready];
  if (executeKey) wanted.push({ key: executeKey, effect: 'NoExecute' });
  const isManaged = ({ key, effect }: Taint): boolean =>
    (effect === 'NoSchedule' && managedNoSchedule.has(key)) || (effect === 'NoExecute' && managedNoExecute.has(key));
  const isWanted = (taint: Taint): boolean => wanted.some((w) => w.key === taint.key && w.effect === taint.effect);
  const kept = existing.filter((taint) => !isManaged(taint) || isWanted(taint));
  const added = wanted.filter((w) => !kept.some((taint) => taint.key === w.key && taint.effect === w.effect));
  const timeAdded = timestamp(options.nowMs);
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded }))];
}
