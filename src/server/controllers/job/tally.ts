import type { JobStatus } from '../../../api/generated/types.ts';
import type { Job } from '../../../api/kinds/batch/job.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { isReady, isTerminal } from '../support/pods.ts';
import { type FailureVerdict, judgeFailure } from './failure-policy.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';

/** Holds a finished pod until it is counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
/** On pods of Indexed Jobs: their index. */
export const completionIndexAnnotation = 'batch.kubernetes.io/job-completion-index';
/** On pods of Indexed Jobs with a limit of their own: how often the index failed before. */
export const indexFailureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';

/** True when each pod of the Job works on an index of its own. */
export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed';
}

/** The index a pod works on; undefined for pods without one. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[completionIndexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** True until the pod has been counted: its finalizer keeps it that long. */
export function isTracked(pod: Pod): boolean {
  return (pod.metadata.finalizers ?? []).includes(trackingFinalizer);
}

/** Everything a decision about a Job needs to know of its pods. */
export interface Tally {
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  readonly ready: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Failed pods that were not in the books before this tally. */
  readonly newFailures: readonly Pod[];
  readonly newSuccesses: number;
  /** Pods that are counted as of the status below: once it is written their finalizer may go. */
  readonly release: readonly Pod[];
  /** The first pod whose failure fails the whole Job. */
  readonly fatal: FailureVerdict | undefined;
  /** The counting part of the status. */
  readonly status: Pick<JobStatus, 'succeeded' | 'failed' | 'completedIndexes' | 'failedIndexes' | 'uncountedTerminatedPods'>;
}

/**
 * Counts each finished pod exactly once, whatever happens in between: its uid is first written into status.uncountedTerminatedPods, then
 * its finalizer goes, then the uid becomes part of the count (upstream: pkg/controller/job, trackJobStatusAndRemoveFinalizers).
 */
export function tally(job: Job, pods: readonly Pod[]): Tally {
  const books = openBooks(job, pods);
  const active: Pod[] = [];
  const terminating: Pod[] = [];
  const release: Pod[] = [];
  const newFailures: Pod[] = [];
  let newSuccesses = 0;
  let fatal: FailureVerdict | undefined;
  for (const pod of pods) {
    const { uid, deletionTimestamp } = pod.metadata;
    if (!isTerminal(pod)) (deletionTimestamp === undefined ? active : terminating).push(pod);
    if (!isTracked(pod) || !countsNow(job, pod)) continue;
    release.push(pod);
    if (books.succeeded.has(uid) || books.failed.has(uid)) continue;
    if (pod.status.phase === 'Succeeded') {
      if (countSuccess(job, pod, books)) newSuccesses++;
      continue;
    }
    const verdict = judgeFailure(job, pod);
    if (verdict.action === 'FailJob') fatal ??= verdict;
    if (verdict.action === 'Ignore') continue;
    books.failed.add(uid);
    newFailures.push(pod);
    noteIndexFailure(job, pod, verdict, books);
  }
  const succeeded = isIndexed(job) ? books.completed.size : books.countedSucceeded + books.succeeded.size;
  return {
    active,
    terminating,
    ready: active.filter(isReady).length,
    succeeded,
    failed: books.countedFailed + books.failed.size,
    completedIndexes: books.completed,
    failedIndexes: books.failedIndexes,
    newFailures,
    newSuccesses,
    release,
    fatal,
    status: closeBooks(job, books),
  };
}

interface Books {
  countedSucceeded: number;
  countedFailed: number;
  /** Uids that are written down but not yet part of the counts. */
  readonly succeeded: Set<string>;
  readonly failed: Set<string>;
  readonly completed: Set<number>;
  readonly failedIndexes: Set<number>;
}

/** Uids whose pods have lost their finalizer, or are gone, become part of the counts. */
function openBooks(job: Job, pods: readonly Pod[]): Books {
  const { status, spec } = job;
  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid));
  const uncounted = status.uncountedTerminatedPods;
  const split = (uids: readonly string[] | undefined): { open: Set<string>; settled: number } => {
    const open = new Set((uids ?? []).filter((uid) => tracked.has(uid)));
    return { open, settled: (uids ?? []).length - open.size };
  };
  const succeeded = split(uncounted?.succeeded);
  const failed = split(uncounted?.failed);
  const limit = spec.completions ?? 0;
  return {
    countedSucceeded: (status.succeeded ?? 0) + (isIndexed(job) ? 0 : succeeded.settled),
    countedFailed: (status.failed ?? 0) + failed.settled,
    succeeded: succeeded.open,
    failed: failed.open,
    completed: parseIndexes(status.completedIndexes, limit),
    failedIndexes: parseIndexes(status.failedIndexes, limit),
  };
}

function closeBooks(job: Job, books: Books): Tally['status'] {
  const { succeeded, failed } = books;
  return {
    succeeded: isIndexed(job) ? books.completed.size : books.countedSucceeded,
    failed: books.countedFailed,
    ...(isIndexed(job) ? { completedIndexes: formatIndexes(books.completed) } : {}),
    ...(job.spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(books.failedIndexes) }),
    uncountedTerminatedPods: {
      ...(succeeded.size > 0 ? { succeeded: [...succeeded] } : {}),
      ...(failed.size > 0 ? { failed: [...failed] } : {}),
    },
  };
}

/** A pod counts when it has ended; one that is being deleted counts as failed at once, unless only ended pods are replaced. */
function countsNow(job: Job, pod: Pod): boolean {
  if (isTerminal(pod)) return true;
  if (pod.metadata.deletionTimestamp === undefined) return false;
  return job.spec.podReplacementPolicy !== 'Failed' && job.spec.podFailurePolicy === undefined;
}

/** False when the index was done before. */
function countSuccess(job: Job, pod: Pod, books: Books): boolean {
  if (!isIndexed(job)) {
    books.succeeded.add(pod.metadata.uid);
    return true;
  }
  const index = indexOf(pod);
  if (index === undefined || index >= (job.spec.completions ?? 0) || books.completed.has(index)) return false;
  books.completed.add(index);
  return true;
}

function noteIndexFailure(job: Job, pod: Pod, verdict: FailureVerdict, books: Books): void {
  const limit = job.spec.backoffLimitPerIndex;
  const index = indexOf(pod);
  if (limit === undefined || index === undefined || books.completed.has(index)) return;
  if (verdict.action === 'FailIndex' || failuresOfIndex(pod) > limit) books.failedIndexes.add(index);
}

/** How often the pod's index has failed, this failure included. */
export function failuresOfIndex(pod: Pod): number {
  return (Number(pod.metadata.annotations?.[indexFailureCountAnnotation]) || 0) + 1;
}
