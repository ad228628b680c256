import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkNonNegative } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, invalid, required } from '../../validation/errors.ts';
import { checkIndexes, overlap } from './job-indexes.ts';

/**
 * The status of a job, which others than its own controller may write (`managedBy`). Most rules look at what changed only, so that an old
 * status that breaks one does not stand in the way of the rest. kubernetes: pkg/registry/batch/job/strategy.go, ValidateJobStatusUpdate.
 */
export function validateJobStatus(next: t.Job, previous: t.Job): FieldError[] {
  const change: Change = { spec: next.spec, next: stateOf(next), previous: stateOf(previous), errors: [] };
  checkCounts(change);
  checkUncounted(change);
  checkOutcome(change);
  checkTimes(change);
  checkWhatFinishedLeaves(change);
  checkIndexLists(change);
  checkTransitions(change);
  return change.errors;
}

interface State {
  readonly status: t.JobStatus;
  readonly complete: boolean;
  readonly failed: boolean;
  readonly finished: boolean;
  readonly failureTarget: boolean;
  readonly criteriaMet: boolean;
}

interface Change {
  readonly spec: t.JobSpec;
  readonly next: State;
  readonly previous: State;
  readonly errors: FieldError[];
}

function has(status: t.JobStatus | undefined, type: string, value = 'True'): boolean {
  return status?.conditions?.some((c) => c.type === type && c.status === value) ?? false;
}

function stateOf({ status = {} }: t.Job): State {
  const [complete, failed] = [has(status, 'Complete'), has(status, 'Failed')];
  const finished = complete || failed;
  return {
    status,
    complete,
    failed,
    finished,
    failureTarget: has(status, 'FailureTarget'),
    criteriaMet: has(status, 'SuccessCriteriaMet'),
  };
}

/** Whether one of these fields of the status is another one now. */
function differs({ next, previous }: Change, ...fields: (keyof t.JobStatus)[]): boolean {
  return fields.some((field) => !semanticEqual(next.status[field], previous.status[field]));
}

const turned = ({ next, previous }: Change, ...states: Exclude<keyof State, 'status'>[]): boolean =>
  states.some((state) => next[state] !== previous[state]);

function refuseConditions({ errors }: Change, detail: string): void {
  errors.push({ reason: 'FieldValueInvalid', field: 'status.conditions', message: `Invalid value: ${detail}` });
}

function checkCounts(change: Change): void {
  const { errors, next, previous, spec } = change;
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    checkNonNegative(errors, `status.${field}`, next.status[field]);
  }
  const { active = 0, ready, failed = 0, succeeded = 0 } = next.status;
  if (ready !== undefined && ready > active && differs(change, 'ready', 'active')) {
    errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  }
  if (failed < (previous.status.failed ?? 0)) errors.push(invalid('status.failed', failed, 'cannot decrease the failed counter'));
  // Such a job can be made smaller.
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!isElastic && succeeded < (previous.status.succeeded ?? 0)) {
    errors.push(invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  }
}

function checkUncounted({ errors, next }: Change): void {
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    next.status.uncountedTerminatedPods?.[list]?.forEach((uid, i) => {
      const field = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (!uid) errors.push(invalid(field, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(field, uid));
      seen.add(uid);
    });
  }
}

/** How a job may end, and what must be said of it before. */
function checkOutcome(change: Change): void {
  const { next, spec } = change;
  const { complete, failed, failureTarget, criteriaMet } = next;
  const refuse = (detail: string): void => refuseConditions(change, detail);
  if (complete && failed && turned(change, 'complete', 'failed')) refuse('cannot set Complete=True and Failed=true conditions');
  if (complete && failureTarget && turned(change, 'complete', 'failureTarget')) {
    refuse('cannot set Complete=True and FailureTarget=true conditions');
  }
  if (failed && !failureTarget && (turned(change, 'failed') || differs(change, 'failedIndexes'))) {
    refuse('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if (complete && !criteriaMet && turned(change, 'complete', 'criteriaMet')) {
    refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  if (criteriaMet && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (criteriaMet && failureTarget) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (spec.successPolicy && complete && !criteriaMet) {
    refuse('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
}

function checkTimes(change: Change): void {
  const { errors, next, previous, spec } = change;
  const { startTime, completionTime } = next.status;
  const completionTurned = turned(change, 'complete') || differs(change, 'completionTime');
  const field = 'status.completionTime';
  if (completionTime && !next.complete && completionTurned) {
    errors.push(invalid(field, completionTime, 'cannot set completionTime when there is no Complete=True condition'));
  }
  if (!completionTime && next.complete && completionTurned) {
    errors.push(required(field, 'completionTime is required for Complete jobs'));
  }
  const isBefore = startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime);
  if (isBefore && differs(change, 'startTime', 'completionTime')) {
    errors.push(invalid(field, completionTime, 'must be equal to or after `startTime`'));
  }
  if (completionTime && previous.status.completionTime && differs(change, 'completionTime')) {
    errors.push(invalid(field, completionTime, 'field is immutable'));
  }
  const resumes = has(previous.status, 'Suspended') && has(next.status, 'Suspended', 'False');
  if (previous.status.startTime && differs(change, 'startTime') && !spec.suspend && !resumes) {
    errors.push(invalid('status.startTime', startTime, 'field is immutable for unsuspended job once set'));
  }
}

/** Nothing of a finished job runs or waits to be counted any more. */
function checkWhatFinishedLeaves(change: Change): void {
  const { errors, next, spec } = change;
  if (!next.finished) return;
  const { active = 0, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = next.status;
  const ended = turned(change, 'finished');
  if (active > 0 && (ended || differs(change, 'active'))) {
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  }
  const neverStarts = spec.suspend && spec.completions === 0;
  if (!startTime && !neverStarts && (ended || differs(change, 'startTime'))) {
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  }
  const waits = Boolean(uncounted?.failed?.length || uncounted?.succeeded?.length);
  if (waits && (ended || differs(change, 'uncountedTerminatedPods'))) {
    errors.push(invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job'));
  }
  if (terminating > 0 && (ended || differs(change, 'terminating'))) {
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  }
}

function checkIndexLists(change: Change): void {
  const { errors, next, spec } = change;
  const { completedIndexes: completed = '', failedIndexes: failed } = next.status;
  const { completions } = spec;
  const completedChanged = differs(change, 'completedIndexes');
  const failedChanged = differs(change, 'failedIndexes');
  if (completedChanged && completions !== undefined) {
    checkIndexes(errors, 'status.completedIndexes', completed, { name: 'completedIndexes', completions });
  }
  if (completedChanged && completed && spec.completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalid('status.completedIndexes', completed, detail));
  }
  if (failed === undefined) return;
  if (failedChanged && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid('status.failedIndexes', failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'));
  } else if (failedChanged && completions !== undefined) {
    checkIndexes(errors, 'status.failedIndexes', failed, { name: 'failedIndexes', completions });
  }
  const both =
    completions !== undefined && (failedChanged || completedChanged) ? overlap(completed, failed, completions) : undefined;
  if (both === undefined) return;
  errors.push(invalid('status.failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${both}`));
}

/** What has been said for good. */
function checkTransitions(change: Change): void {
  const { next, previous } = change;
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (has(previous.status, type) && !has(next.status, type)) {
      refuseConditions(change, `cannot disable the terminal ${type}=True condition`);
    }
  }
  if (previous.criteriaMet && !next.criteriaMet) refuseConditions(change, 'cannot disable the SuccessCriteriaMet=True condition');
  if (previous.complete && !previous.criteriaMet && next.criteriaMet) {
    refuseConditions(change, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
  }
}
