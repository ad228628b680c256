import type { DeploymentCondition, DeploymentStatus } from '../../../api/generated/types.ts';
import type { Deployment } from '../../../api/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { millisecondsOf, timestamp } from '../../../api/timestamp.ts';
import { conditionOf, withoutCondition } from '../support/conditions.ts';
import { maxUnavailableOf } from './strategy.ts';

/** The value of progressDeadlineSeconds that means "none". */
const noDeadlineSeconds = 2 ** 31 - 1;

export interface RolloutView {
  readonly deployment: Deployment;
  readonly newSet: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly nowMs: number;
}

/** A condition as told now; times are filled in by `setCondition`. */
type Told = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined): number =>
  sets.reduce((n, set) => n + (of(set) ?? 0), 0);

/** The counts, and the condition Available. The other conditions stay as they are. */
export function countedStatus({ deployment, newSet, old, nowMs }: RolloutView): DeploymentStatus {
  const all = newSet ? [...old, newSet] : old;
  const available = sum(all, (s) => s.status.availableReplicas);
  const { collisionCount, conditions } = deployment.status;
  const enough = available >= (deployment.spec.replicas ?? 1) - maxUnavailableOf(deployment);
  const availableCondition: Told = enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, (s) => s.status.replicas),
    updatedReplicas: newSet?.status.replicas ?? 0,
    readyReplicas: sum(all, (s) => s.status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, (s) => s.spec.replicas ?? 1) - available),
    terminatingReplicas: sum(all, (s) => s.status.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: setCondition(conditions, availableCondition, nowMs),
  };
}

/** The status during a rollout: counts, Available, Progressing and ReplicaFailure (upstream: deployment/progress.go). */
export function rolloutStatus(view: RolloutView): DeploymentStatus {
  const status = countedStatus(view);
  const { deployment, nowMs } = view;
  let conditions = status.conditions ?? [];
  const progressing = conditionOf(conditions, 'Progressing');
  const wasComplete = status.replicas === status.updatedReplicas && progressing?.reason === 'NewReplicaSetAvailable';
  if (hasDeadline(deployment) && !wasComplete) conditions = progressConditions(view, status, conditions);
  const failure = replicaFailure(view);
  conditions = failure ? setCondition(conditions, failure, nowMs) : [...withoutCondition(conditions, 'ReplicaFailure')];
  return { ...status, conditions };
}

function progressConditions(
  view: RolloutView,
  status: DeploymentStatus,
  conditions: DeploymentCondition[],
): DeploymentCondition[] {
  const { deployment, newSet, nowMs } = view;
  const what = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  const told = (state: 'True' | 'False', reason: string, end: string): Told => ({
    type: 'Progressing',
    status: state,
    reason,
    message: `${what} ${end}`,
  });
  if (isComplete(deployment, status)) {
    return setCondition(conditions, told('True', 'NewReplicaSetAvailable', 'has successfully progressed.'), nowMs);
  }
  if (hasProgressed(deployment, status)) {
    const next = told('True', 'ReplicaSetUpdated', 'is progressing.');
    return setCondition(withoutUpdateTime(conditions), next, nowMs);
  }
  if (hasTimedOut(deployment, status, nowMs)) {
    return setCondition(conditions, told('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'), nowMs);
  }
  return conditions;
}

/** Progress always renews lastUpdateTime: it is what the deadline counts from. */
function withoutUpdateTime(conditions: readonly DeploymentCondition[]): DeploymentCondition[] {
  return conditions.map((c) => (c.type === 'Progressing' ? { ...c, reason: '' } : c));
}

/** False when the Deployment may take any time; the largest number means that as well. */
export function hasDeadline(deployment: Deployment): boolean {
  const { progressDeadlineSeconds } = deployment.spec;
  return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== noDeadlineSeconds;
}

/** Everything is new, everything is available, nothing old is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = deployment.spec.replicas ?? 1;
  return (
    status.updatedReplicas === wanted &&
    status.replicas === wanted &&
    status.availableReplicas === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(deployment: Deployment, now: DeploymentStatus): boolean {
  const before = deployment.status;
  const oldBefore = (before.replicas ?? 0) - (before.updatedReplicas ?? 0);
  const oldNow = (now.replicas ?? 0) - (now.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldNow < oldBefore ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** True when the last progress lies further back than the deadline. */
function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const progressing = conditionOf(status.conditions, 'Progressing');
  if (!progressing || progressing.reason === 'NewReplicaSetAvailable') return false;
  if (progressing.reason === 'ProgressDeadlineExceeded') return true;
  return nowMs >= deadlineMs(deployment, progressing);
}

function deadlineMs(deployment: Deployment, progressing: DeploymentCondition): number {
  return millisecondsOf(progressing.lastUpdateTime) + (deployment.spec.progressDeadlineSeconds ?? noDeadlineSeconds) * 1000;
}

/** How long until the rollout may have to be called stuck; undefined when it cannot be. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = conditionOf(status.conditions, 'Progressing');
  if (!progressing || !hasDeadline(deployment) || isComplete(deployment, status) || hasTimedOut(deployment, status, nowMs))
    return undefined;
  // The time has whole seconds: one more makes sure it has passed.
  return deadlineMs(deployment, progressing) - nowMs + 1000;
}

function replicaFailure({ newSet, old }: RolloutView): Told | undefined {
  for (const set of newSet ? [newSet, ...old] : old) {
    const failure = conditionOf(set.status.conditions, 'ReplicaFailure');
    if (failure) {
      const { status, reason = '', message = '' } = failure;
      return { type: 'ReplicaFailure', status, reason, message };
    }
  }
  return undefined;
}

/** Sets a condition; it stays untouched when status and reason are the same, its transition time stays when the status is. */
export function setCondition(
  conditions: readonly DeploymentCondition[] | undefined,
  told: Told,
  nowMs: number,
): DeploymentCondition[] {
  const before = conditionOf(conditions, told.type);
  if (before?.status === told.status && before.reason === told.reason) return [...(conditions ?? [])];
  const now = timestamp(nowMs);
  const lastTransitionTime = before?.status === told.status ? (before.lastTransitionTime ?? now) : now;
  return [...withoutCondition(conditions, told.type), { ...told, lastUpdateTime: now, lastTransitionTime }];
}
