import type { JobCondition } from '../../../api/generated/types.ts';
import type { Job } from '../../../api/kinds/batch/job.ts';
import { millisecondsOf } from '../../../api/timestamp.ts';
import { conditionOf } from '../support/conditions.ts';
import { parseIndexes } from './indexes.ts';
import { isIndexed, type Tally } from './tally.ts';

/** How a Job ends: `type` is the final condition. */
export interface Ending {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** The final condition of a Job that is over. */
export function finishedAs(job: Job): JobCondition | undefined {
  return job.status.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True');
}

/** The ending that is decided, though pods may still be running (conditions SuccessCriteriaMet and FailureTarget), or must be decided now. */
export function endingOf(job: Job, counts: Tally, nowMs: number): Ending | undefined {
  const { conditions } = job.status;
  const target = conditionOf(conditions, 'FailureTarget');
  if (target?.status === 'True') return { type: 'Failed', reason: target.reason ?? '', message: target.message ?? '' };
  const met = conditionOf(conditions, 'SuccessCriteriaMet');
  if (met?.status === 'True') return { type: 'Complete', reason: met.reason ?? '', message: met.message ?? '' };
  return failureOf(job, counts, nowMs) ?? successOf(job, counts);
}

function failureOf(job: Job, counts: Tally, nowMs: number): Ending | undefined {
  const fail = (reason: string, message: string): Ending => ({ type: 'Failed', reason, message });
  const { backoffLimit = 6, maxFailedIndexes, backoffLimitPerIndex } = job.spec;
  if (counts.fatal) return fail('PodFailurePolicy', counts.fatal.message ?? '');
  if (counts.failed > backoffLimit || restartsOnFailure(job, counts) > backoffLimit) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (deadlineMs(job) <= nowMs) return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  if (backoffLimitPerIndex === undefined) return undefined;
  if (maxFailedIndexes !== undefined && counts.failedIndexes.size > maxFailedIndexes) {
    return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  const settled = counts.completedIndexes.size + counts.failedIndexes.size >= (job.spec.completions ?? 0);
  return settled && counts.failedIndexes.size > 0 ? fail('FailedIndexes', 'Job has failed indexes') : undefined;
}

/** With restartPolicy OnFailure the agent restarts containers in their pods: those restarts count. */
function restartsOnFailure(job: Job, counts: Tally): number {
  if (job.spec.template.spec?.restartPolicy !== 'OnFailure' || job.spec.backoffLimit === undefined) return 0;
  return counts.active
    .flatMap((pod) => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])])
    .reduce((sum, status) => sum + status.restartCount, 0);
}

/** When the Job must be over, in milliseconds; infinite without a deadline. */
export function deadlineMs(job: Job): number {
  const { activeDeadlineSeconds, suspend } = job.spec;
  if (activeDeadlineSeconds === undefined || suspend || !job.status.startTime) return Number.POSITIVE_INFINITY;
  return millisecondsOf(job.status.startTime) + activeDeadlineSeconds * 1000;
}

function successOf(job: Job, counts: Tally): Ending | undefined {
  const rule = isIndexed(job) ? matchedSuccessRule(job, counts) : undefined;
  if (rule !== undefined) return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` };
  const { completions } = job.spec;
  const done = completions === undefined ? counts.succeeded > 0 && counts.active.length === 0 : counts.succeeded >= completions;
  return done
    ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    : undefined;
}

function matchedSuccessRule(job: Job, { completedIndexes }: Tally): number | undefined {
  const index = (job.spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const named = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, job.spec.completions ?? 0);
    const done = named ? [...named].filter((i) => completedIndexes.has(i)).length : completedIndexes.size;
    return done >= (succeededCount ?? named?.size ?? 0);
  });
  return index < 0 ? undefined : index;
}
