import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { JobSpec } from '../../../api/generated/types.ts';
import { Job } from '../../../api/kinds/batch/job.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { timestamp } from '../../../api/timestamp.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { isActive } from '../support/pods.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { jobController } from './job.ts';
import { ttlAfterFinishedController } from './ttl-after-finished.ts';

const key = { namespace: 'ns', name: 'work' };

async function create(fake: FakeClient, spec: Partial<JobSpec>): Promise<void> {
  await fake.create(Job, {
    metadata: { ...key },
    spec: {
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      selector: { matchLabels: { job: 'work' } },
      template: {
        metadata: { labels: { job: 'work' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
      },
      ...spec,
    },
  });
}

const active = (fake: FakeClient): Pod[] => fake.all(Pod, 'ns').filter(isActive);
const indexOf = (pod: Pod): string => pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? '';

/** Ends an active pod, the one of an index if told. */
function end(fake: FakeClient, phase: 'Succeeded' | 'Failed', options: { index?: string; exitCode?: number } = {}): void {
  const pod = active(fake).find((p) => options.index === undefined || indexOf(p) === options.index);
  assert.ok(pod, 'no active pod');
  fake.mutate(Pod, { namespace: 'ns', name: pod.metadata.name }, (p) => {
    const exitCode = options.exitCode ?? (phase === 'Failed' ? 1 : 0);
    const finishedAt = timestamp(fake.clock.now());
    p.status = {
      phase,
      containerStatuses: [
        { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode, finishedAt } } },
      ],
    };
  });
}

const status = async (fake: FakeClient) => (await fake.get(Job, key)).status;
const ending = async (fake: FakeClient) =>
  (await status(fake)).conditions?.find((c) => c.type === 'Complete' || c.type === 'Failed');
const run = (test: (bench: Bench) => Promise<void>): Promise<void> =>
  withControllers([jobController(), ttlAfterFinishedController], test);

describe('job controller', () => {
  it('runs to completion, counts each pod once, frees its pods, and is removed after its TTL', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { completions: 3, parallelism: 2, ttlSecondsAfterFinished: 60 });
      for (let i = 0; i < 3; i++) {
        await settle();
        assert.ok(active(fake).length <= 2);
        end(fake, 'Succeeded');
      }
      await settle();
      const { succeeded, active: running, uncountedTerminatedPods, completionTime } = await status(fake);
      assert.deepEqual([succeeded, running, uncountedTerminatedPods], [3, undefined, {}]);
      assert.ok(completionTime);
      assert.equal((await ending(fake))?.type, 'Complete');
      assert.equal(
        fake.all(Pod).some((p) => p.metadata.finalizers?.length),
        false,
      );
      await advance(61_000);
      assert.ok((await fake.get(Job, key)).metadata.deletionTimestamp);
    });
  });

  it('replaces failed pods later and later, and gives up at the backoff limit', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { backoffLimit: 1 });
      await settle();
      end(fake, 'Failed');
      await settle();
      assert.equal(active(fake).length, 0);
      await advance(10_000);
      assert.equal(active(fake).length, 1);
      end(fake, 'Failed');
      await settle();
      assert.equal((await ending(fake))?.reason, 'BackoffLimitExceeded');
      assert.equal((await status(fake)).failed, 2);
      await advance(600_000);
      assert.equal(active(fake).length, 0);
    });
  });

  it('indexed: one pod per index, each with its number', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { completionMode: 'Indexed', completions: 4, parallelism: 4 });
      await settle();
      assert.deepEqual(active(fake).map(indexOf).sort(), ['0', '1', '2', '3']);
      end(fake, 'Failed', { index: '2' });
      for (const index of ['0', '1', '3']) end(fake, 'Succeeded', { index });
      await settle();
      assert.equal((await status(fake)).completedIndexes, '0,1,3');
      await advance(11_000);
      end(fake, 'Succeeded', { index: '2' });
      await settle();
      assert.equal((await status(fake)).completedIndexes, '0-3');
      assert.equal((await ending(fake))?.type, 'Complete');
    });
  });

  it('backoffLimitPerIndex: one index may fail, the others go on', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, {
        completionMode: 'Indexed',
        completions: 2,
        parallelism: 2,
        backoffLimitPerIndex: 0,
        backoffLimit: 2 ** 31 - 1,
      });
      await settle();
      end(fake, 'Failed', { index: '0' });
      await advance(20_000);
      assert.equal(active(fake).length, 1);
      end(fake, 'Succeeded', { index: '1' });
      await settle();
      assert.equal((await ending(fake))?.reason, 'FailedIndexes');
      assert.equal((await status(fake)).failedIndexes, '0');
    });
  });

  it('backoffLimitPerIndex: an index that failed waits, the others do not', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { completionMode: 'Indexed', completions: 3, parallelism: 2, backoffLimitPerIndex: 2 });
      await settle();
      const running = (): string[] => active(fake).map(indexOf).toSorted();
      end(fake, 'Failed', { index: '0' });
      end(fake, 'Succeeded', { index: '1' });
      await settle();
      assert.deepEqual(running(), ['2']);
      await advance(10_000);
      assert.deepEqual(running(), ['0', '2']);
      end(fake, 'Failed', { index: '0' });
      await advance(19_000);
      assert.deepEqual(running(), ['2'], 'twice as long after the second failure');
      await advance(1_000);
      assert.deepEqual(running(), ['0', '2']);
    });
  });

  it('a failure policy fails the job, or ignores the failure', async () => {
    const onExitCodes = (action: string, value: number) => ({ action, onExitCodes: { operator: 'In', values: [value] } });
    await run(async ({ fake, settle, advance }) => {
      await create(fake, {
        backoffLimit: 0,
        podFailurePolicy: { rules: [onExitCodes('Ignore', 3), onExitCodes('FailJob', 42)] },
      });
      await settle();
      end(fake, 'Failed', { exitCode: 3 });
      await advance(10_000);
      assert.equal(active(fake).length, 1);
      end(fake, 'Failed', { exitCode: 42 });
      await settle();
      assert.equal((await ending(fake))?.reason, 'PodFailurePolicy');
      assert.match((await ending(fake))?.message ?? '', /failed with exit code 42 matching FailJob rule at index 1/);
    });
  });

  it('ends at its deadline, and suspends and resumes', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { activeDeadlineSeconds: 100 });
      await settle();
      await fake.patch(Job, key, { type: 'merge', body: { spec: { suspend: true } } });
      await advance(200_000);
      assert.equal(active(fake).length, 0);
      assert.equal((await status(fake)).conditions?.[0]?.type, 'Suspended');
      await fake.patch(Job, key, { type: 'merge', body: { spec: { suspend: false } } });
      await settle();
      assert.equal(active(fake).length, 1);
      await advance(101_000);
      assert.equal((await ending(fake))?.reason, 'DeadlineExceeded');
    });
  });

  it('a deleted job lets its pods go', async () => {
    await run(async ({ fake, settle }) => {
      await create(fake, {});
      await settle();
      await fake.delete(Job, key);
      await settle();
      assert.equal(fake.all(Pod)[0]?.metadata.finalizers, undefined);
    });
  });
});

describe('completion indexes', () => {
  for (const text of ['', '0', '0,1', '0-2', '1,3-5,7', '0,1,3,4,6-9']) {
    it(`${JSON.stringify(text)} reads and writes`, () => assert.equal(formatIndexes(parseIndexes(text, 100)), text));
  }
});
