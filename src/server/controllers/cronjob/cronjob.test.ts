import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { CronJobSpec } from '../../../api/generated/types.ts';
import { CronJob } from '../../../api/kinds/batch/cron-job.ts';
import { Job } from '../../../api/kinds/batch/job.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { cronJobController } from './cronjob.ts';

const key = { namespace: 'ns', name: 'tick' };
const minute = 60_000;

async function create(fake: FakeClient, spec: Partial<CronJobSpec> = {}): Promise<void> {
  const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } } };
  await fake.create(CronJob, {
    metadata: { ...key },
    spec: { schedule: '*/10 * * * *', timeZone: 'Etc/UTC', jobTemplate, ...spec },
  });
}

const jobs = (fake: FakeClient): Job[] => fake.all(Job, 'ns').filter((j) => j.metadata.deletionTimestamp === undefined);

function finish(fake: FakeClient, type = 'Complete'): void {
  for (const job of jobs(fake)) {
    if (job.status.conditions) continue;
    fake.mutate(Job, { namespace: 'ns', name: job.metadata.name }, (j) => {
      j.status = {
        startTime: j.metadata.creationTimestamp,
        completionTime: j.metadata.creationTimestamp,
        conditions: [{ type, status: 'True' }],
      };
    });
  }
}

const run = (test: (bench: Bench) => Promise<void>): Promise<void> => withControllers([cronJobController], test);

describe('cronjob controller', () => {
  it('starts a job at each scheduled time, named after it, and keeps a short history', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { successfulJobsHistoryLimit: 2 });
      await settle();
      assert.equal(jobs(fake).length, 0);
      for (let i = 0; i < 4; i++) {
        await advance(10 * minute);
        finish(fake);
        await settle();
      }
      assert.equal(jobs(fake).length, 2);
      const { lastScheduleTime, active } = (await fake.get(CronJob, key)).status;
      assert.equal(lastScheduleTime, '2026-01-01T00:40:00Z');
      assert.equal(active, undefined);
      assert.equal(jobs(fake).at(-1)?.metadata.name, `tick-${Date.parse('2026-01-01T00:40:00Z') / minute}`);
    });
  });

  for (const [policy, expected] of [
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ] as const) {
    it(`${policy}: ${expected} running after three times`, async () => {
      await run(async ({ fake, settle, advance }) => {
        await create(fake, { concurrencyPolicy: policy });
        await settle();
        for (let i = 0; i < 3; i++) await advance(10 * minute);
        assert.equal(jobs(fake).length, expected);
      });
    });
  }

  it('does not make a start again that the status does not tell of', async () => {
    await run(async ({ fake, settle, advance }) => {
      await create(fake, { concurrencyPolicy: 'Replace' });
      await settle();
      await advance(10 * minute);
      const [{ metadata }] = jobs(fake) as [Job];
      fake.mutate(CronJob, key, (cronJob) => {
        cronJob.status = {};
      });
      await settle();
      assert.deepEqual(
        jobs(fake).map((job) => job.metadata.uid),
        [metadata.uid],
      );
      const { lastScheduleTime, active } = (await fake.get(CronJob, key)).status;
      assert.deepEqual([lastScheduleTime, active?.length], ['2026-01-01T00:10:00Z', 1]);
    });
  });

  it('after a long sleep only the latest time counts; a suspended one sleeps on', async () => {
    await run(async ({ fake, settle, clock, advance }) => {
      await create(fake, { schedule: '* * * * *', suspend: true });
      await settle();
      clock.advance(90 * 24 * 60 * minute);
      await settle();
      assert.equal(jobs(fake).length, 0);
      await fake.patch(CronJob, key, { type: 'merge', body: { spec: { suspend: false } } });
      await settle();
      assert.equal(jobs(fake).length, 1);
      assert.equal(
        (await fake.get(CronJob, key)).status.lastScheduleTime,
        new Date(clock.now()).toISOString().replace('.000', ''),
      );
      await advance(minute);
      assert.equal(jobs(fake).length, 2);
    });
  });
});
