import type { Deployment } from '../../../api/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { byAge } from '../support/order.ts';
import { isRollingUpdate, maxSurgeOf, maxUnavailableOf } from './strategy.ts';

/** A ReplicaSet and the size it gets. */
export interface ScaleStep {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

const size = (set: ReplicaSet): number => set.spec.replicas ?? 1;
const available = (set: ReplicaSet): number => set.status.availableReplicas ?? 0;
const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number => sets.reduce((n, set) => n + of(set), 0);

/** The size the new ReplicaSet may have now (upstream: deployment/util NewRSNewReplicas). `all` includes it if it exists. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = deployment.spec.replicas ?? 1;
  if (!isRollingUpdate(deployment)) return wanted;
  const room = wanted + maxSurgeOf(deployment) - sum(all, size);
  if (room <= 0) return current;
  return current + Math.min(room, wanted - current);
}

/**
 * The next step of a rolling update: the new set grows within maxSurge; only when it has nothing to do the old ones shrink, unhealthy
 * pods first, never below the minimum that must be available (upstream: deployment/rolling.go).
 */
export function planRolling(deployment: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): ScaleStep[] {
  const wanted = deployment.spec.replicas ?? 1;
  const all = [...old, newSet];
  const target = size(newSet) > wanted ? wanted : newSetReplicas(deployment, all, size(newSet));
  if (target !== size(newSet)) return [{ set: newSet, replicas: target }];
  return planShrink(deployment, newSet, old);
}

function planShrink(deployment: Deployment, newSet: ReplicaSet, old: readonly ReplicaSet[]): ScaleStep[] {
  const minimum = (deployment.spec.replicas ?? 1) - maxUnavailableOf(deployment);
  const unavailableNew = size(newSet) - available(newSet);
  const removable = sum(old, size) + size(newSet) - minimum - unavailableNew;
  if (sum(old, size) === 0 || removable <= 0) return [];
  const sizes = new Map([...old].sort(byAge).map((set) => [set, size(set)]));
  removeUnhealthy(sizes, removable);
  let spare = sum([...old, newSet], available) - minimum;
  for (const [set, replicas] of sizes) {
    const taken = Math.min(replicas, Math.max(0, spare));
    sizes.set(set, replicas - taken);
    spare -= taken;
  }
  return [...sizes].filter(([set, replicas]) => replicas !== size(set)).map(([set, replicas]) => ({ set, replicas }));
}

/** Pods of old sets that are not available go first: they serve nobody. */
function removeUnhealthy(sizes: Map<ReplicaSet, number>, limit: number): void {
  let left = limit;
  for (const [set, replicas] of sizes) {
    const taken = Math.max(0, Math.min(left, replicas - available(set)));
    sizes.set(set, replicas - taken);
    left -= taken;
  }
}

/** Recreate: first everything old goes to 0. */
export function planRecreate(old: readonly ReplicaSet[]): ScaleStep[] {
  return old.filter((set) => size(set) > 0).map((set) => ({ set, replicas: 0 }));
}
