import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { humanDuration } from '../../table/duration.ts';
import { maxInt32 } from '../../validation/checks.ts';
import { defaultPodTemplate } from '../core/pod-spec.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { selectorColumn, templateColumns } from '../template-columns.ts';
import { validateJobStatus } from './job-status-validation.ts';
import { controllerUidLabels, jobNameLabels, validateJob, validateJobUpdate } from './job-validation.ts';
import { jobSpecWarnings } from './job-warnings.ts';

const defaultBackoffLimit = 6;

export type Job = t.Job;
export const Job = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  defaultPropagation: 'Orphan',
  orphansWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  applyDefaults(job) {
    job.spec ??= {} as t.JobSpec;
    defaultJobSpec(job.spec);
    labelLikeTemplate(job);
  },
  prepareForCreate(job, context) {
    countedWithStatus.prepareForCreate(job, context);
    if (!job.spec.manualSelector) generateSelector(job);
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  validateStatusUpdate: validateJobStatus,
  warnings: (next, previous) => jobSpecWarnings(next, previous, 'spec', next.spec),
  fieldRefusal: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', cell: statusText },
    { name: 'Completions', type: 'string', cell: completionsText },
    { name: 'Duration', type: 'string', cell: durationText },
    ageColumn,
    ...templateColumns<Job>(({ spec }) => spec?.template),
    selectorColumn<Job>(({ spec }) => spec?.selector),
  ],
});

function defaultJobSpec(spec: t.JobSpec): void {
  defaultJobTemplate(spec);
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? defaultBackoffLimit : maxInt32;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  spec.manualSelector ??= false;
}

/** What also the template of a CronJob gets: the rest is decided when a job is made from it. */
export function defaultJobTemplate(spec: t.JobSpec): void {
  defaultPodTemplate(spec);
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  }
}

/** Labels by which a job finds its pods and no others. kubernetes: pkg/registry/batch/job/strategy.go. */
function generateSelector(job: Job): void {
  const { uid, name } = job.metadata;
  const metadata = (job.spec.template.metadata ??= {});
  const labels = (metadata.labels ??= {});
  for (const key of jobNameLabels) labels[key] ??= name;
  for (const key of controllerUidLabels) labels[key] ??= uid;
  const selector = (job.spec.selector ??= {});
  (selector.matchLabels ??= {})['batch.kubernetes.io/controller-uid'] ??= uid;
  labelLikeTemplate(job);
}

/** A job without labels shares those of its template: also those it gets for its selector. */
function labelLikeTemplate(job: Job): void {
  const labels = job.spec.template.metadata?.labels;
  if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
}

function statusText({ metadata, status }: Job): string {
  const is = (type: string): boolean => status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (metadata.deletionTimestamp) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return humanDuration(end - Date.parse(status.startTime));
}
