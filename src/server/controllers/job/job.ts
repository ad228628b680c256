import type { JobCondition, JobStatus } from '../../../api/generated/types.ts';
import { Job } from '../../../api/kinds/batch/job.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { parseKey } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { backoffDelayMs } from '../../../lib/backoff.ts';
import { errorChain } from '../../../lib/log.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerOf } from '../../../reconcile/owners.ts';
import { ownedBy, primary } from '../../../reconcile/watches.ts';
import { claim } from '../replicaset/claim.ts';
import { conditionOf, withCondition } from '../support/conditions.ts';
import { isActive } from '../support/pods.ts';
import { slowStart } from '../support/slow-start.ts';
import { type Birth, composePod, planPods, podBackoff } from './pods.ts';
import { isTracked, type Tally, tally, trackingFinalizer } from './tally.ts';
import { deadlineMs, type Ending, endingOf, finishedAs } from './verdict.ts';

/** Jobs with this value are looked after by another controller. */
const ownManager = 'kubernetes.io/job-controller';

interface Failures {
  readonly inRow: number;
  readonly lastAtMs: number;
}

/** Runs Jobs to completion (upstream: pkg/controller/job). */
export function jobController(): ControllerDefinition {
  /** Job uid → failures since the last success: they delay the next pod. */
  const failures = new Map<string, Failures>();
  return defineController({
    name: 'job',
    watches: [primary(Job), ownedBy(Pod, Job)],
    concurrency: 5,
    async reconcile(key, context) {
      const { client, informer } = context;
      const job = informer(Job).get(key);
      if (!job || job.metadata.deletionTimestamp !== undefined) {
        await releaseOrphans(key, job, context);
        return;
      }
      if (job.spec.managedBy !== undefined && job.spec.managedBy !== ownManager) return;
      const { selector } = job.spec;
      const pods = await claim({
        client,
        owner: job,
        ownerKind: Job,
        kind: Pod,
        lister: informer(Pod),
        selector,
        adoptable: isActive,
      });
      if (finishedAs(job)) {
        failures.delete(job.metadata.uid);
        for (const pod of pods.filter(isTracked)) await release(pod, context);
        return;
      }
      await step(job, pods, failures, context);
    },
  });
}

async function step(job: Job, pods: readonly Pod[], failures: Map<string, Failures>, context: ReconcileContext): Promise<void> {
  const { clock, requeueAfter } = context;
  const counts = tally(job, pods);
  const since = countFailures(failures.get(job.metadata.uid), counts, clock.now());
  if (since) failures.set(job.metadata.uid, since);
  else failures.delete(job.metadata.uid);
  const ending = endingOf(job, counts, clock.now());
  let active = counts.active.length;
  let failure: unknown;
  if (ending) {
    await removeAll(job, counts.active, context);
    active = 0;
  } else if (job.spec.suspend) {
    await dismiss(job, counts.active, context);
    active = 0;
  } else {
    const plan = planPods(job, counts, pods, clock.now());
    await dismiss(job, plan.delete, context);
    active -= plan.delete.length;
    const waiting = plan.create.map((birth) => ({ birth, waitMs: waitMsFor(birth, job, since, clock.now()) }));
    const births = waiting.filter(({ waitMs }) => waitMs <= 0).map(({ birth }) => birth);
    const nextMs = Math.min(...waiting.map(({ waitMs }) => waitMs).filter((waitMs) => waitMs > 0));
    if (nextMs < Number.POSITIVE_INFINITY) requeueAfter(nextMs);
    failure = await slowStart(births.length, async () => {
      await create(job, births.shift() ?? {}, context);
      active++;
    });
  }
  await writeStatus(job, { counts, ending, active }, context);
  for (const pod of counts.release) await release(pod, context);
  const untilDeadlineMs = deadlineMs(job) - clock.now();
  if (!ending && untilDeadlineMs < Number.POSITIVE_INFINITY) requeueAfter(Math.max(0, untilDeadlineMs));
  if (failure !== undefined) throw failure;
}

/** Indexes with a limit of their own also wait on their own. */
function waitMsFor(birth: Birth, job: Job, since: Failures | undefined, nowMs: number): number {
  if (job.spec.backoffLimitPerIndex !== undefined) return (birth.dueAtMs ?? nowMs) - nowMs;
  return since ? since.lastAtMs + backoffDelayMs(podBackoff, since.inRow - 1) - nowMs : 0;
}

function countFailures(before: Failures | undefined, counts: Tally, nowMs: number): Failures | undefined {
  const started = counts.newSuccesses > 0 ? undefined : before;
  if (counts.newFailures.length === 0) return started;
  return { inRow: (started?.inRow ?? 0) + counts.newFailures.length, lastAtMs: nowMs };
}

async function writeStatus(
  job: Job,
  { counts, ending, active }: { counts: Tally; ending: Ending | undefined; active: number },
  { client, clock, events }: ReconcileContext,
): Promise<void> {
  const now = timestamp(clock.now());
  const { startTime, completionTime: _completion, conditions: before } = job.status;
  const terminating = counts.terminating.length + (ending || job.spec.suspend ? counts.active.length : 0);
  const uncounted = counts.status.uncountedTerminatedPods;
  const settled = active === 0 && terminating === 0 && !uncounted?.succeeded?.length && !uncounted?.failed?.length;
  const conditions = conditionsOf(job, { ending, settled, now });
  const started = job.spec.suspend ? undefined : (startTime ?? now);
  const isDone = ending?.type === 'Complete' && settled;
  const status: JobStatus = {
    ...counts.status,
    ...(active > 0 ? { active } : {}),
    terminating,
    ready: active === 0 ? 0 : counts.ready,
    ...(started ? { startTime: started } : {}),
    ...(isDone ? { completionTime: now } : {}),
    ...(conditions.length > 0 ? { conditions: [...conditions] } : {}),
  };
  if (equalJson(status, job.status)) return;
  await client.update(Job, { ...job, status }, { subresource: 'status' });
  if (ending && settled) {
    if (isDone) events.event(job, 'Normal', 'Completed', 'Job completed');
    else events.event(job, 'Warning', ending.reason, ending.message);
  } else if (conditionOf(before, 'Suspended')?.status !== conditionOf(conditions, 'Suspended')?.status) {
    if (job.spec.suspend) events.event(job, 'Normal', 'Suspended', 'Job suspended');
    else events.event(job, 'Normal', 'Resumed', 'Job resumed');
  }
}

function conditionsOf(
  job: Job,
  { ending, settled, now }: { ending: Ending | undefined; settled: boolean; now: string },
): readonly JobCondition[] {
  let conditions: readonly JobCondition[] = job.status.conditions ?? [];
  const set = (type: string, status: string, reason: string, message: string): void => {
    conditions = withCondition(conditions, { type, status, reason, message, lastProbeTime: now, lastTransitionTime: now });
  };
  if (ending) {
    set(ending.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', ending.reason, ending.message);
    if (settled) set(ending.type, 'True', ending.reason, ending.message);
    return conditions;
  }
  const suspended = conditionOf(conditions, 'Suspended')?.status === 'True';
  if (job.spec.suspend && !suspended) set('Suspended', 'True', 'JobSuspended', 'Job suspended');
  if (!job.spec.suspend && suspended) set('Suspended', 'False', 'JobResumed', 'Job resumed');
  return conditions;
}

async function create(job: Job, birth: Parameters<typeof composePod>[1], { client, events }: ReconcileContext): Promise<void> {
  try {
    const pod = await client.create(Pod, composePod(job, birth));
    events.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    events.event(job, 'Warning', 'FailedCreate', `Error creating: ${errorChain(error)}`);
    throw error;
  }
}

/** Pods that are not needed any more are no failures: their finalizer goes before they do. */
async function dismiss(job: Job, pods: readonly Pod[], context: ReconcileContext): Promise<void> {
  for (const pod of pods) await release(pod, context);
  await removeAll(job, pods, context);
}

async function removeAll(job: Job, pods: readonly Pod[], { client, events }: ReconcileContext): Promise<void> {
  for (const { metadata } of pods) {
    try {
      await client.delete(
        Pod,
        { namespace: metadata.namespace ?? '', name: metadata.name },
        { preconditions: { uid: metadata.uid } },
      );
      events.event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`);
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
    }
  }
}

/** Pods of a Job that is going or gone are nobody's to count. */
async function releaseOrphans(key: string, job: Job | undefined, context: ReconcileContext): Promise<void> {
  const { namespace = '', name } = parseKey(key);
  const pods = context
    .informer(Pod)
    .list(namespace)
    .filter((pod) => {
      const owner = controllerOf(pod);
      return isTracked(pod) && owner?.kind === Job.kind && owner.name === name && (!job || owner.uid === job.metadata.uid);
    });
  for (const pod of pods) await release(pod, context);
}

async function release(pod: Pod, { client }: ReconcileContext): Promise<void> {
  const { namespace = '', name, uid, resourceVersion, finalizers = [] } = pod.metadata;
  const left = finalizers.filter((f) => f !== trackingFinalizer);
  const body = { metadata: { uid, resourceVersion, finalizers: left.length > 0 ? left : null } };
  try {
    await client.patch(Pod, { namespace, name }, { type: 'merge', body });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
