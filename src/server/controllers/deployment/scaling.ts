import type { Deployment } from '../../../api/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { byAge } from '../support/order.ts';
import { byRevision, desiredReplicasAnnotation, maxReplicasAnnotation } from './revision.ts';
import type { ScaleStep } from './rolling.ts';
import { isRollingUpdate, maxSurgeOf } from './strategy.ts';

const size = (set: ReplicaSet): number => set.spec.replicas ?? 1;

/** True when the Deployment's size was changed since its ReplicaSets were sized. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const wanted = String(deployment.spec.replicas ?? 1);
  return sets.some((set) => {
    const noted = set.metadata.annotations?.[desiredReplicasAnnotation];
    return size(set) > 0 && noted !== undefined && noted !== wanted;
  });
}

/**
 * Shares a new size out over the sets without moving the rollout on: one active set takes it all; in the middle of a rolling update
 * each set grows or shrinks in proportion, the largest takes what rounding leaves (upstream: deployment/sync.go, scale).
 */
export function planScaling(deployment: Deployment, newSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = deployment.spec.replicas ?? 1;
  const active = [...(newSet ? [newSet] : []), ...old].filter((set) => size(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? latest(old);
    return only && size(only) !== wanted ? [{ set: only, replicas: wanted }] : [];
  }
  if (newSet && isSaturated(deployment, newSet)) return old.filter((set) => size(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (!isRollingUpdate(deployment)) return [];
  return shareOut(deployment, active);
}

function latest(sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort((a, b) => byRevision(b, a))[0];
}

/** The new set has all the pods it will get, and they are available. */
function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = deployment.spec.replicas ?? 1;
  const noted = Number(set.metadata.annotations?.[desiredReplicasAnnotation]);
  return size(set) === wanted && noted === wanted && set.status.availableReplicas === wanted;
}

function shareOut(deployment: Deployment, active: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = deployment.spec.replicas ?? 1;
  const allowed = wanted > 0 ? wanted + maxSurgeOf(deployment) : 0;
  const toAdd = allowed - active.reduce((n, set) => n + size(set), 0);
  const newestFirst = toAdd >= 0 ? -1 : 1;
  const order = [...active].sort((a, b) => size(b) - size(a) || newestFirst * byAge(a, b));
  let left = toAdd;
  const sizes = order.map((set) => {
    const share = clampShare(shareOf(deployment, set), left);
    left -= share;
    return { set, replicas: size(set) + share };
  });
  return sizes.map((step, i) => (i === 0 ? { ...step, replicas: Math.max(0, step.replicas + left) } : step));
}

/** A share never goes beyond what is left, nor in the other direction. */
function clampShare(share: number, left: number): number {
  return left >= 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
}

/** How many pods more (or fewer) are the set's proportional part of the new size. */
function shareOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = deployment.spec.replicas ?? 1;
  if (wanted === 0) return -size(set);
  const before = Number(set.metadata.annotations?.[maxReplicasAnnotation]) || deployment.status.replicas || 0;
  if (before === 0) return 0;
  return Math.round((size(set) * (wanted + maxSurgeOf(deployment))) / before) - size(set);
}
