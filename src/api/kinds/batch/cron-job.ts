import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none, unset } from '../../table/columns.ts';
import { age } from '../../table/duration.ts';
import { checkNonNegative } from '../../validation/checks.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { selectorColumn, templateColumns } from '../template-columns.ts';
import { defaultJobTemplate } from './job.ts';
import { checkJobSpec } from './job-validation.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { scheduleProblem, timeZoneProblem } from './schedule.ts';

const defaultSuccessfulHistory = 3;
const defaultFailedHistory = 1;
/** Jobs are named after the CronJob and the time, eleven characters more; their pods must fit a DNS label. */
const maxNameLength = 52;

export type CronJob = t.CronJob;
export const CronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  applyDefaults(cron) {
    const spec = (cron.spec ??= {} as t.CronJobSpec);
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= defaultSuccessfulHistory;
    spec.failedJobsHistoryLimit ??= defaultFailedHistory;
    spec.jobTemplate ??= {};
    spec.jobTemplate.metadata ??= {};
    spec.jobTemplate.spec ??= {} as t.JobSpec;
    defaultJobTemplate(spec.jobTemplate.spec);
  },
  ...countedWithStatus,
  validate: validateCronJob,
  warnings: cronJobWarnings,
  columns: [
    nameColumn,
    { name: 'Schedule', type: 'string', cell: (cron) => cron.spec?.schedule ?? '' },
    { name: 'Timezone', type: 'string', cell: (cron) => cron.spec?.timeZone ?? none },
    { name: 'Suspend', type: 'boolean', cell: ({ spec }) => (spec?.suspend === undefined ? unset : suspendText(spec.suspend)) },
    { name: 'Active', type: 'integer', cell: (cron) => cron.status?.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      type: 'string',
      cell: ({ status }, nowMs) => (status?.lastScheduleTime ? age(status.lastScheduleTime, nowMs) : none),
    },
    ageColumn,
    ...templateColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template),
    selectorColumn<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.selector),
  ],
});

const suspendText = (suspend: boolean): string => (suspend ? 'True' : 'False');

function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors: FieldError[] = [];
  if ((metadata.name?.length ?? 0) > maxNameLength) {
    errors.push(invalid('metadata.name', metadata.name, `must be no more than ${maxNameLength} characters`));
  }
  if (!spec) return errors;
  checkSchedule(errors, spec);
  checkNonNegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  const policies = ['Allow', 'Forbid', 'Replace'];
  if (!policies.includes(spec.concurrencyPolicy ?? '')) {
    errors.push(notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy ?? '', policies));
  }
  checkNonNegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  checkNonNegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  const job = spec.jobTemplate?.spec;
  if (!job) return errors;
  checkJobSpec(errors, 'spec.jobTemplate.spec', job);
  if (job.selector) {
    errors.push(invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'));
  }
  if (job.manualSelector) {
    errors.push(notSupported('spec.jobTemplate.spec.manualSelector', job.manualSelector, ['nil', 'false']));
  }
  return errors;
}

function checkSchedule(errors: FieldError[], { schedule, timeZone }: t.CronJobSpec): void {
  if (!schedule) errors.push(required('spec.schedule'));
  else {
    const problem = scheduleProblem(schedule);
    if (problem) errors.push(invalid('spec.schedule', schedule, problem));
    if (schedule.includes('TZ') && timeZone !== undefined) {
      errors.push(invalid('spec.schedule', schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
    } else if (schedule.includes('TZ')) {
      errors.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
    }
  }
  const problem = timeZone === undefined || timeZone === null ? undefined : timeZoneProblem(timeZone);
  if (problem) errors.push(invalid('spec.timeZone', timeZone, problem));
}

function cronJobWarnings(next: CronJob, previous?: CronJob): string[] {
  const warnings = jobSpecWarnings(next, previous, 'spec.jobTemplate.spec', next.spec?.jobTemplate?.spec);
  if (previous && next.spec?.schedule?.includes('TZ')) {
    const link = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/';
    warnings.push(`cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see ${link} for more details`);
  }
  return warnings;
}
