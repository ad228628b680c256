import type { StatefulSetStatus } from '../../../api/generated/types.ts';
import type { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { scaledValue } from '../support/int-or-percent.ts';
import { isAvailable, isReady } from '../support/pods.ts';
import { ordinalOf, ordinalRange, revisionLabel } from './pods.ts';

export interface StatefulView {
  readonly set: StatefulSet;
  /** All pods of the set, also those that are ending. */
  readonly pods: readonly Pod[];
  /** Names of the revision being left and of the one being rolled out; equal when nothing is. */
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

export interface StatefulPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[];
  readonly delete: readonly Pod[];
}

const isEnding = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const isOver = (pod: Pod): boolean => pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded';
const isRunningReady = (pod: Pod): boolean => pod.status.phase === 'Running' && isReady(pod);

/** The next steps (upstream: pkg/controller/statefulset/stateful_set_control.go); OrderedReady takes one at a time. */
export function planStateful(view: StatefulView): StatefulPlan {
  const { set } = view;
  const byOrdinal = new Map(view.pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const { start, end } = ordinalRange(set);
  const condemned = [...byOrdinal.keys()].filter((n) => n >= 0 && (n < start || n >= end)).sort((a, b) => b - a);
  const ordered = set.spec.podManagementPolicy !== 'Parallel';
  const plan = { create: [] as { ordinal: number; revision: string }[], delete: [] as Pod[] };
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) plan.create.push({ ordinal, revision: revisionFor(ordinal, view) });
    else if (isOver(pod) && !isEnding(pod)) plan.delete.push(pod);
    if (ordered && !(pod && serves(pod, view))) return plan;
  }
  plan.delete.push(
    ...planScaleDown(
      condemned.map((n) => byOrdinal.get(n)!),
      view,
    ),
  );
  if (plan.create.length + plan.delete.length > 0 || (ordered && condemned.length > 0)) return plan;
  return { ...plan, delete: planUpdate(view, byOrdinal) };
}

/**
 * Highest first. In order, each after the one above it has gone, and only while it serves: a set that has lost pods does not lose more by being
 * scaled down. The lowest of those that do not serve may go, or nothing would ever change.
 */
function planScaleDown(condemned: readonly Pod[], view: StatefulView): Pod[] {
  if (view.set.spec.podManagementPolicy === 'Parallel') return condemned.filter((pod) => !isEnding(pod));
  const [highest] = condemned;
  if (!highest || isEnding(highest)) return [];
  const lowestUnavailable = condemned.findLast((pod) => !serves(pod, view));
  return serves(highest, view) || highest === lowestUnavailable ? [highest] : [];
}

/** Old pods from the highest ordinal down to the partition, as many at a time as may be unavailable. */
function planUpdate(view: StatefulView, byOrdinal: ReadonlyMap<number, Pod>): Pod[] {
  const { set, updateRevision } = view;
  if (set.spec.updateStrategy?.type === 'OnDelete') return [];
  const { start, end } = ordinalRange(set);
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  let allowed = Math.max(1, scaledValue(maxUnavailable, set.spec.replicas ?? 1, 'up'));
  const doomed: Pod[] = [];
  for (let ordinal = end - 1; ordinal >= start + partition && allowed > 0; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (!pod) return doomed;
    if (pod.metadata.labels?.[revisionLabel] !== updateRevision && !isEnding(pod)) {
      doomed.push(pod);
      allowed--;
    } else if (!serves(pod, view)) allowed--;
  }
  return doomed;
}

function serves(pod: Pod, { set, nowMs }: StatefulView): boolean {
  return !isEnding(pod) && isRunningReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

/** Ordinals below the partition stay at the old revision, also when their pods are made anew. */
function revisionFor(ordinal: number, { set, currentRevision, updateRevision }: StatefulView): string {
  const { start } = ordinalRange(set);
  const rolling = set.spec.updateStrategy?.rollingUpdate;
  const keepsOld =
    rolling?.partition === undefined ? ordinal < start + (set.status.currentReplicas ?? 0) : ordinal < start + rolling.partition;
  return keepsOld ? currentRevision : updateRevision;
}

/** The counts; when all pods are of the new revision and ready, it becomes the current one. */
export function statefulStatus(view: StatefulView): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, nowMs } = view;
  const { end, start } = ordinalRange(set);
  const wanted = set.spec.replicas ?? 1;
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const counted = pods.filter((pod) => ordinalOf(set, pod) !== undefined);
  const ready = counted.filter(isRunningReady);
  const of = (revision: string): number =>
    counted.filter((pod) => {
      const ordinal = ordinalOf(set, pod) ?? -1;
      return !isEnding(pod) && ordinal >= start && ordinal < end && pod.metadata.labels?.[revisionLabel] === revision;
    }).length;
  const updated = of(updateRevision);
  const isComplete =
    set.spec.updateStrategy?.type !== 'OnDelete' && updated === wanted && ready.length === wanted && counted.length === wanted;
  const { collisionCount, conditions } = set.status;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: counted.length,
    readyReplicas: ready.length,
    availableReplicas: counted.filter((pod) => isRunningReady(pod) && isAvailable(pod, minReadySeconds, nowMs)).length,
    currentReplicas: isComplete ? updated : of(currentRevision),
    updatedReplicas: updated,
    currentRevision: isComplete ? updateRevision : currentRevision,
    updateRevision,
    ...(collisionCount === undefined ? { collisionCount: 0 } : { collisionCount }),
    ...(conditions ? { conditions } : {}),
  };
}
