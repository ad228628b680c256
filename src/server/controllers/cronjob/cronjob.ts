import type { CronJobStatus, ObjectReference } from '../../../api/generated/types.ts';
import { CronJob } from '../../../api/kinds/batch/cron-job.ts';
import { Job } from '../../../api/kinds/batch/job.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import { millisecondsOf, timestamp } from '../../../api/timestamp.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { type CronSchedule, parseCron } from '../../../lib/cron.ts';
import { errorChain } from '../../../lib/log.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { ownedBy, primary } from '../../../reconcile/watches.ts';
import { finishedAs } from '../job/verdict.ts';
import { dueTime } from './due.ts';

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** Starts a Job each time a CronJob's schedule says so (upstream: pkg/controller/cronjob). */
export const cronJobController = defineController({
  name: 'cronjob',
  watches: [primary(CronJob), ownedBy(Job, CronJob)],
  async reconcile(key, context) {
    const { client, informer } = context;
    const cronJob = informer(CronJob).get(key);
    if (!cronJob || cronJob.metadata.deletionTimestamp !== undefined) return;
    const jobs = informer(Job).byIndex(standardIndexes.controller, cronJob.metadata.uid);
    await trimHistory(cronJob, jobs, context);
    const started = cronJob.spec.suspend ? undefined : await startIfDue(cronJob, jobs, context);
    const status = statusOf(cronJob, jobs, started);
    if (!equalJson(status, cronJob.status)) await client.update(CronJob, { ...cronJob, status }, { subresource: 'status' });
  },
});

interface Started {
  readonly job: Job | undefined;
  readonly scheduledMs: number;
  readonly replaced: readonly Job[];
}

async function startIfDue(cronJob: CronJob, jobs: readonly Job[], context: ReconcileContext): Promise<Started | undefined> {
  const { clock, events, requeueAfter } = context;
  let schedule: CronSchedule;
  try {
    schedule = parseCron(cronJob.spec.schedule);
    schedule.next(clock.now(), cronJob.spec.timeZone);
  } catch (error) {
    events.event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${errorChain(error)}`);
    return undefined;
  }
  const nextMs = schedule.next(clock.now(), cronJob.spec.timeZone);
  if (nextMs !== undefined) requeueAfter(nextMs - clock.now());
  const due = dueTime(cronJob, schedule, clock.now());
  if (due.tooMany)
    events.event(
      cronJob,
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    );
  if (due.atMs === undefined) return undefined;
  // Made before, though the status does not say so: writing that failed, or the server stopped in between.
  const name = nameOfJob(cronJob, due.atMs);
  if (jobs.some((job) => job.metadata.name === name)) return { job: undefined, scheduledMs: due.atMs, replaced: [] };
  const active = jobs.filter((job) => !finishedAs(job));
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    events.event(
      cronJob,
      'Normal',
      'JobAlreadyActive',
      'Not starting job because prior execution is running and concurrency policy is Forbid',
    );
    return undefined;
  }
  const replaced = cronJob.spec.concurrencyPolicy === 'Replace' ? active : [];
  for (const job of replaced) await remove(cronJob, job, context);
  return { job: await start(cronJob, due.atMs, context), scheduledMs: due.atMs, replaced };
}

/** The name comes from the minute: a start that is tried twice makes one Job. */
const nameOfJob = ({ metadata: { name } }: CronJob, atMs: number): string => `${name}-${Math.floor(atMs / 60_000)}`;

async function start(cronJob: CronJob, atMs: number, { client, events }: ReconcileContext): Promise<Job | undefined> {
  const { jobTemplate } = cronJob.spec;
  try {
    const job = await client.create(Job, {
      metadata: {
        namespace: cronJob.metadata.namespace ?? '',
        name: nameOfJob(cronJob, atMs),
        ...(jobTemplate.metadata?.labels ? { labels: jobTemplate.metadata.labels } : {}),
        annotations: { ...jobTemplate.metadata?.annotations, [scheduledAnnotation]: timestamp(atMs) },
        ownerReferences: [controllerReference(CronJob, cronJob)],
      },
      spec: structuredClone(jobTemplate.spec ?? { template: {} }),
    });
    events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
    return job;
  } catch (error) {
    if (isStatus(error, 'AlreadyExists')) return undefined;
    events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${errorChain(error)}`);
    throw error;
  }
}

async function remove(
  cronJob: CronJob,
  { metadata: { namespace = '', name, uid } }: Job,
  { client, events }: ReconcileContext,
): Promise<void> {
  try {
    await client.delete(Job, { namespace, name }, { propagationPolicy: 'Background', preconditions: { uid } });
    events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  } catch (error) {
    if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
  }
}

/** Finished Jobs beyond the history limits go, oldest first. */
async function trimHistory(cronJob: CronJob, jobs: readonly Job[], context: ReconcileContext): Promise<void> {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
  for (const [type, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    const finished = jobs.filter((job) => finishedAs(job)?.type === type && job.metadata.deletionTimestamp === undefined);
    const oldestFirst = finished.sort((a, b) => millisecondsOf(a.status.startTime) - millisecondsOf(b.status.startTime));
    for (const job of oldestFirst.slice(0, Math.max(0, finished.length - limit))) await remove(cronJob, job, context);
  }
}

function statusOf(cronJob: CronJob, jobs: readonly Job[], started: Started | undefined): CronJobStatus {
  const gone = new Set(started?.replaced.map((job) => job.metadata.uid));
  const active = jobs.filter((job) => !finishedAs(job) && !gone.has(job.metadata.uid));
  const running = started?.job ? [...active, started.job] : active;
  const successes = jobs.filter((job) => finishedAs(job)?.type === 'Complete').map((job) => job.status.completionTime ?? '');
  const lastSuccessfulTime = [cronJob.status.lastSuccessfulTime ?? '', ...successes].sort().at(-1);
  const lastScheduleTime = started ? timestamp(started.scheduledMs) : cronJob.status.lastScheduleTime;
  return {
    ...(running.length > 0 ? { active: running.map(referenceTo) } : {}),
    ...(lastScheduleTime ? { lastScheduleTime } : {}),
    ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
  };
}

/** Without the version: it changes with every step of the Job. */
function referenceTo({ apiVersion, kind, metadata: { namespace = '', name, uid } }: Job): ObjectReference {
  return { apiVersion, kind, namespace, name, uid };
}
