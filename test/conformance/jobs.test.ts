import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, exists, gone } from './support/control-plane.ts';
import { type Fate, imageOf } from './support/pretended-node.ts';

const success: Fate = { exitCode: 0 };
const failure: Fate = { exitCode: 1 };
const indexOf = ({ metadata }: Json): number => Number(metadata.annotations['batch.kubernetes.io/job-completion-index']);

/** What the containers of a job do, by their image. */
const programs: Record<string, (pod: Json) => Fate> = {
  run: () => 'ready',
  succeed: () => success,
  fail: () => failure,
  first: (pod) => (indexOf(pod) === 0 ? success : 'ready'),
  'fail-odd': (pod) => (indexOf(pod) % 2 === 1 ? failure : success),
};

const plane = controlPlane(async () => {
  await plane.addNode('node', { fateOf: (pod) => programs[imageOf(pod)]!(pod) });
});

const jobs = 'batch/v1/jobs';
const podsOf = (own: Resource): Resource => plane.api.resource('v1/pods', own.namespace);
const ofJob = { labelSelector: 'job-name=job' };

function job(program: string, spec: Json, fields: Json = {}): Json {
  const containers = [{ name: 'task', image: program }];
  const template = { spec: { containers, restartPolicy: 'Never' } };
  return { metadata: { name: 'job', ...fields }, spec: { template, ...spec } };
}

function conditionOf({ status }: Json, type: string): Json {
  return status.conditions?.find((each: Json) => each.type === type && each.status === 'True');
}

/** Waits for the condition, and returns the job as it is then. */
function until(own: Resource, type: string, reason?: string): Promise<Json> {
  return eventually(
    `the job is ${type}`,
    async () => {
      const object = await own.get('job');
      const condition = conditionOf(object, type);
      assert.ok(condition, JSON.stringify(object.status));
      if (reason) assert.equal(condition.reason, reason);
      return object;
    },
    30_000,
  );
}

async function run(program: string, spec: Json): Promise<Resource> {
  const own = await plane.inNewNamespace(jobs);
  await own.create(job(program, spec));
  return own;
}

const runningPods = (own: Resource, count: number): Promise<Json[]> =>
  eventually(`${count} pods run`, async () => {
    const { items } = await podsOf(own).list(ofJob);
    const running = items.filter(({ status }: Json) => status.phase === 'Running');
    return running.length === count && running;
  });

it('[sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname [Conformance]', async () => {
  const own = await run('succeed', { completionMode: 'Indexed', parallelism: 2, completions: 4 });
  const done = await until(own, 'Complete', 'CompletionsReached');
  assert.deepEqual([done.status.succeeded, done.status.completedIndexes], [4, '0-3']);
  const { items } = await podsOf(own).list(ofJob);
  const indexes = items.map((pod: Json) => {
    assert.equal(pod.spec.hostname, `job-${indexOf(pod)}`);
    const variable = pod.spec.containers[0].env.find((each: Json) => each.name === 'JOB_COMPLETION_INDEX');
    assert.ok(variable);
    return indexOf(pod);
  });
  assert.deepEqual(indexes.toSorted(), [0, 1, 2, 3]);
});

it('[sig-apps] Job should run a job to completion when tasks sometimes fail and are locally restarted [Conformance]', async () => {
  // Restarts are the node's: what is left for the job is to wait.
  const spec = {
    parallelism: 2,
    completions: 4,
    template: { spec: { containers: [{ name: 'task', image: 'succeed' }], restartPolicy: 'OnFailure' } },
  };
  const own = await run('succeed', spec);
  const done = await until(own, 'Complete', 'CompletionsReached');
  assert.equal(done.status.succeeded, 4);
});

it('[sig-apps] Job should delete a job [Conformance]', async () => {
  const own = await run('run', { parallelism: 2, completions: 4 });
  await runningPods(own, 2);
  await own.delete('job', { propagationPolicy: 'Foreground' });
  await gone(own, 'job');
  assert.deepEqual((await podsOf(own).list()).items, []);
});

it('[sig-apps] Job should adopt matching orphans and release non-matching pods [Conformance]', async () => {
  const own = await run('run', { parallelism: 2, completions: 4 });
  const [pod] = await runningPods(own, 2);
  const { uid } = (await own.get('job')).metadata;
  const { name } = pod.metadata;
  const ownerOf = async (): Promise<string | undefined> => (await podsOf(own).get(name)).metadata.ownerReferences?.[0]?.uid;
  await podsOf(own).change(name, ({ metadata }) => {
    metadata.ownerReferences = undefined;
  });
  await eventually('the orphan is adopted', async () => (await ownerOf()) === uid);
  await podsOf(own).change(name, ({ metadata }) => {
    metadata.labels = undefined;
  });
  await eventually('the pod is let go', async () => (await ownerOf()) === undefined);
});

it('[sig-apps] Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes [Conformance]', async () => {
  const spec = { completionMode: 'Indexed', parallelism: 1, completions: 4, backoffLimitPerIndex: 0, maxFailedIndexes: 0 };
  const own = await run('fail', spec);
  const { status } = await until(own, 'Failed');
  assert.deepEqual([status.failedIndexes, status.failed], ['0', 1]);
});

it('[sig-apps] Job should execute all indexes despite some failing when using backoffLimitPerIndex [Conformance]', async () => {
  const own = await run('fail-odd', { completionMode: 'Indexed', parallelism: 2, completions: 4, backoffLimitPerIndex: 1 });
  const { status } = await until(own, 'Failed');
  const counts = [status.failedIndexes, status.completedIndexes, status.failed, status.succeeded];
  assert.deepEqual(counts, ['1,3', '0,2', 4, 2]);
});

it('[sig-apps] Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy [Conformance]', async () => {
  const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }];
  const own = await run('fail-odd', {
    ...{ completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimitPerIndex: 1 },
    podFailurePolicy: { rules },
  });
  const { status } = await until(own, 'Failed');
  assert.deepEqual([status.failedIndexes, status.completedIndexes, status.failed, status.succeeded], ['1', '0', 1, 1]);
});

it('[sig-apps] Job should allow to use the pod failure policy on exit code to fail the job early [Conformance]', async () => {
  const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }];
  const own = await run('fail-odd', { completionMode: 'Indexed', parallelism: 2, completions: 4, podFailurePolicy: { rules } });
  await until(own, 'Failed', 'PodFailurePolicy');
});

it('[sig-apps] Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition [Conformance]', async () => {
  const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }];
  const own = await plane.inNewNamespace(jobs);
  // The first pod of each index runs until it is evicted; the next succeeds.
  const first = new Map<number, string>();
  programs['run-once'] = (pod) => {
    if (!first.has(indexOf(pod))) first.set(indexOf(pod), pod.metadata.uid);
    return first.get(indexOf(pod)) === pod.metadata.uid ? 'ready' : success;
  };
  const spec = { completionMode: 'Indexed', parallelism: 3, completions: 3, backoffLimit: 2, podFailurePolicy: { rules } };
  await own.create(job('run-once', spec));
  for (const { metadata } of await runningPods(own, 3)) {
    const { name } = metadata;
    const path = podsOf(own).path({ name, subresource: 'eviction' });
    await plane.api.call('POST', path, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });
  }
  const done = await until(own, 'Complete', 'CompletionsReached');
  assert.equal(done.status.succeeded, 3);
});

const policies: readonly {
  readonly name: string;
  readonly rule: Json;
  readonly program: string;
  readonly completions: number;
  readonly status: Json;
}[] = [
  {
    name: '[sig-apps] Job with successPolicy should succeeded when all indexes succeeded [Conformance]',
    ...{ rule: { succeededCount: 2 }, program: 'succeed', completions: 2 },
    status: { succeeded: 2, completedIndexes: '0,1', failed: undefined },
  },
  {
    name: '[sig-apps] Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending [Conformance]',
    ...{ rule: { succeededIndexes: '0' }, program: 'first', completions: 5 },
    status: { succeeded: 1, completedIndexes: '0' },
  },
  {
    name: '[sig-apps] Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending [Conformance]',
    ...{ rule: { succeededCount: 1 }, program: 'first', completions: 5 },
    status: { succeeded: 1, completedIndexes: '0' },
  },
];

for (const { name, rule, program, completions, status } of policies)
  it(name, async () => {
    const own = await run(program, { completionMode: 'Indexed', parallelism: 2, completions, successPolicy: { rules: [rule] } });
    await until(own, 'SuccessCriteriaMet', 'SuccessPolicy');
    const done = await until(own, 'Complete', 'SuccessPolicy');
    for (const [field, value] of Object.entries(status)) assert.equal(done.status[field], value, field);
    const { active, ready, terminating } = done.status;
    assert.deepEqual([active, ready, terminating], [undefined, 0, 0]);
  });

it('[sig-apps] Job should apply changes to a job status [Conformance]', async () => {
  const own = await run('run', { parallelism: 2, completions: 4 });
  await runningPods(own, 2);
  const condition = { type: 'Test', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' };
  const patch = { metadata: { annotations: { 'patched-status': 'true' } }, status: { conditions: [condition] } };
  const patched = await own.patch('job', patch, { subresource: 'status' });
  assert.equal(conditionOf(patched, 'Test').lastTransitionTime, condition.lastTransitionTime);
  assert.equal(patched.metadata.annotations['patched-status'], 'true');
  const later = '2026-01-02T03:05:05Z';
  const edit = (object: Json): void => Object.assign(conditionOf(object, 'Test'), { lastTransitionTime: later });
  const updated = await own.change('job', edit, 'status');
  assert.equal(conditionOf(updated, 'Test').lastTransitionTime, later);
  assert.equal((await own.get('job', 'status')).metadata.uid, patched.metadata.uid);
});

it('[sig-apps] Job should manage the lifecycle of a job [Conformance]', async () => {
  const own = await plane.inNewNamespace(jobs);
  const ours = { labelSelector: 'test=lifecycle' };
  const created = await own.create(
    job('succeed', { parallelism: 2, completions: 4, suspend: true }, { labels: { test: 'lifecycle' } }),
  );
  const patched = await own.patch('job', { metadata: { labels: { patched: 'true' } } }, { type: 'strategic' });
  assertNewer(patched, created);
  const watch = await own.watch({ ...ours, resourceVersion: patched.metadata.resourceVersion });
  assert.deepEqual((await podsOf(own).list()).items, []);
  await own.change('job', ({ metadata, spec }) => {
    metadata.annotations = { ...metadata.annotations, updated: 'true' };
    spec.suspend = false;
  });
  await watch.until('the update', ({ type, object }) => type === 'MODIFIED' && object.metadata.annotations?.updated === 'true');
  assert.equal((await plane.api.resource(jobs).list(ours)).items.length, 1);
  const done = await until(own, 'Complete', 'CompletionsReached');
  assert.equal(done.status.succeeded, 4);
  await own.deleteCollection(ours, { propagationPolicy: 'Background' });
  await watch.until('the deletion', ({ type }) => type === 'DELETED');
  assert.equal(await exists(own, 'job'), false);
  watch.stop();
});
