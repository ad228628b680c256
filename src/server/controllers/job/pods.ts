import { Job } from '../../../api/kinds/batch/job.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import type { NewObject } from '../../../api/meta.ts';
import { backoffDelayMs } from '../../../lib/backoff.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { podsToDelete } from '../replicaset/ranking.ts';
import { podFromTemplate } from '../support/pods.ts';
import {
  completionIndexAnnotation,
  failuresOfIndex,
  indexFailureCountAnnotation,
  indexOf,
  isIndexed,
  type Tally,
  trackingFinalizer,
} from './tally.ts';

/** A pod to create: `index` for indexed Jobs. */
export interface Birth {
  readonly index?: number;
  readonly failures?: number;
  /** When the index may be tried again, for Jobs whose indexes fail independently. */
  readonly dueAtMs?: number;
}

/** Failed pods are replaced later and later. */
export const podBackoff = { initialMs: 10_000, maxMs: 600_000 };

/** Pods created in one go; the rest follows. */
const burst = 500;

/** The pods a running Job gains or loses now. */
export function planPods(job: Job, counts: Tally, pods: readonly Pod[], nowMs: number): { create: Birth[]; delete: Pod[] } {
  const { active, terminating } = counts;
  const wanted = wantedActive(job, counts);
  const strays = isIndexed(job) ? strayPods(job, counts) : [];
  const kept = active.filter((pod) => !strays.includes(pod));
  if (kept.length > wanted) return { create: [], delete: [...strays, ...podsToDelete(kept, kept.length - wanted, kept, nowMs)] };
  const waitsFor = job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy ? terminating.length : 0;
  const missing = Math.max(0, Math.min(wanted - kept.length - waitsFor, burst));
  return {
    create: isIndexed(job) ? missingIndexes(job, counts, pods, missing) : Array.from({ length: missing }, () => ({})),
    delete: strays,
  };
}

function wantedActive(job: Job, { succeeded, active, failedIndexes }: Tally): number {
  const { completions, parallelism = 1 } = job.spec;
  if (completions === undefined) return succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.min(parallelism, Math.max(0, completions - succeeded - failedIndexes.size));
}

/** Pods whose index is done, out of range, or served by another pod. */
function strayPods(job: Job, counts: Tally): Pod[] {
  const seen = new Set<number>();
  return counts.active.filter((pod) => {
    const index = indexOf(pod);
    const stray =
      index === undefined ||
      index >= (job.spec.completions ?? 0) ||
      counts.completedIndexes.has(index) ||
      counts.failedIndexes.has(index) ||
      seen.has(index);
    if (index !== undefined) seen.add(index);
    return stray;
  });
}

function missingIndexes(job: Job, counts: Tally, pods: readonly Pod[], limit: number): Birth[] {
  const waiting = job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy ? counts.terminating : [];
  const taken = new Set([...counts.active, ...waiting].map(indexOf));
  const births: Birth[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && births.length < limit; index++) {
    if (taken.has(index) || counts.completedIndexes.has(index) || counts.failedIndexes.has(index)) continue;
    const failed = pods.filter((pod) => pod.status.phase === 'Failed' && indexOf(pod) === index);
    const failures = Math.max(0, ...failed.map(failuresOfIndex));
    births.push({ index, failures, ...dueAfter(job, failed, failures) });
  }
  return births;
}

function dueAfter(job: Job, failed: readonly Pod[], failures: number): Pick<Birth, 'dueAtMs'> {
  if (job.spec.backoffLimitPerIndex === undefined || failures === 0) return {};
  return { dueAtMs: Math.max(...failed.map(finishedAtMs)) + backoffDelayMs(podBackoff, failures - 1) };
}

/** When a pod ended, as far as anybody said (upstream: pkg/controller/job/backoff_utils.go getFinishedTime). */
function finishedAtMs({ metadata, status }: Pod): number {
  const ends = (status.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
  if (ends.length > 0 && !ends.includes(undefined)) return Math.max(...ends.map((at) => Date.parse(at!)));
  const notReadySince = status.conditions?.find((c) => c.type === 'Ready' && c.status === 'False')?.lastTransitionTime;
  if (notReadySince) return Date.parse(notReadySince);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(creationTimestamp ?? '') || 0;
}

/** The pod of a Job, with the finalizer that makes sure it is counted. */
export function composePod(job: Job, { index, failures = 0 }: Birth): NewObject<Pod> {
  const prefix = index === undefined ? `${job.metadata.name}-` : `${job.metadata.name}-${index}-`;
  const pod = podFromTemplate({
    template: job.spec.template,
    namespace: job.metadata.namespace ?? '',
    name: prefix,
    owner: controllerReference(Job, job),
  });
  const metadata = { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), trackingFinalizer] };
  if (index === undefined) return { ...pod, metadata };
  const value = String(index);
  const counted = job.spec.backoffLimitPerIndex === undefined ? {} : { [indexFailureCountAnnotation]: String(failures) };
  return {
    ...pod,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [completionIndexAnnotation]: value },
      annotations: { ...metadata.annotations, [completionIndexAnnotation]: value, ...counted },
    },
    spec: withIndex({ ...pod.spec, hostname: pod.spec.hostname ?? `${job.metadata.name}-${index}` }),
  };
}

/** Containers learn their index from the environment. */
function withIndex(spec: Pod['spec']): Pod['spec'] {
  const variable = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${completionIndexAnnotation}']` } },
  };
  const add = (containers: Pod['spec']['containers']): Pod['spec']['containers'] =>
    containers.map((c) => (c.env?.some((e) => e.name === variable.name) ? c : { ...c, env: [...(c.env ?? []), variable] }));
  return {
    ...spec,
    containers: add(spec.containers),
    ...(spec.initContainers ? { initContainers: add(spec.initContainers) } : {}),
  };
}
