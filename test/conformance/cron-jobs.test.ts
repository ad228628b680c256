import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { controlPlane } from './support/control-plane.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node', { fateOf: () => 'ready' });
});

const hourMs = 3_600_000;

/** Once an hour; the last time was that many minutes ago. No test waits for the next. */
function since(minutes: number): string {
  return `${new Date(Date.now() - minutes * 60_000).getUTCMinutes()} * * * *`;
}

/** A cron job whose latest start, two minutes ago, was missed. */
async function overdue(own: Resource, name: string, concurrencyPolicy: string, spec: Json = {}): Promise<void> {
  const template = { spec: { containers: [{ name: 'task', image: 'task' }], restartPolicy: 'OnFailure' } };
  const jobTemplate = { spec: { template } };
  await own.create({
    metadata: { name },
    spec: { schedule: since(2), timeZone: 'Etc/UTC', concurrencyPolicy, jobTemplate, ...spec },
  });
  const lastScheduleTime = new Date(Date.now() - hourMs).toISOString().replace(/\.\d+Z$/, 'Z');
  await own.patch(name, { status: { lastScheduleTime } }, { subresource: 'status' });
}

/** Makes a later start due: the one a minute ago. */
const dueAgain = (own: Resource, name: string): Promise<Json> => own.patch(name, { spec: { schedule: since(1) } });

/** The jobs there are, once the cron job lists exactly them as active. */
function active(own: Resource, name: string, count: number): Promise<Json[]> {
  return eventually(`${count} active jobs of ${name}`, async () => {
    const { items } = await plane.api.resource('batch/v1/jobs', own.namespace).list();
    const { status } = await own.get(name);
    const identities = (objects: Json[]): string[] => objects.map(({ uid }) => uid).toSorted();
    assert.deepEqual(identities(status.active ?? []), identities(items.map((job: Json) => job.metadata)));
    assert.equal(items.length, count);
    return items;
  });
}

it('[sig-apps] CronJob should schedule multiple jobs concurrently [Conformance]', async () => {
  const own = await plane.inNewNamespace('batch/v1/cronjobs');
  await overdue(own, 'many', 'Allow');
  const [first] = await active(own, 'many', 1);
  await dueAgain(own, 'many');
  const both = await active(own, 'many', 2);
  assert.ok(both.some(({ metadata }) => metadata.uid === first!.metadata.uid));
  for (const { metadata } of both) {
    const [{ kind, name, controller }] = metadata.ownerReferences;
    assert.deepEqual([kind, name, controller], ['CronJob', 'many', true]);
  }
});

it('[sig-apps] CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]', async () => {
  const own = await plane.inNewNamespace('batch/v1/cronjobs');
  await overdue(own, 'one', 'Forbid');
  const [first] = await active(own, 'one', 1);
  await dueAgain(own, 'one');
  await eventually('the start is passed over', async () => {
    const events = plane.api.resource('v1/events', own.namespace);
    const { items } = await events.list({ fieldSelector: 'involvedObject.name=one,reason=JobAlreadyActive' });
    return items.length === 1;
  });
  const [still] = await active(own, 'one', 1);
  assert.equal(still!.metadata.uid, first!.metadata.uid);
});

it('[sig-apps] CronJob should replace jobs when ReplaceConcurrent [Conformance]', async () => {
  const own = await plane.inNewNamespace('batch/v1/cronjobs');
  await overdue(own, 'latest', 'Replace');
  const [first] = await active(own, 'latest', 1);
  await dueAgain(own, 'latest');
  await eventually('another job runs instead', async () => {
    const [second] = await active(own, 'latest', 1);
    return second!.metadata.uid !== first!.metadata.uid;
  });
});

it('[sig-apps] CronJob should not schedule jobs when suspended [Slow] [Conformance]', async () => {
  const own = await plane.inNewNamespace('batch/v1/cronjobs');
  await overdue(own, 'suspended', 'Allow', { suspend: true });
  // By the time that one made later has its job, the suspended one would have.
  await overdue(own, 'other', 'Allow');
  await active(own, 'other', 1);
  assert.deepEqual((await own.get('suspended')).status.active ?? [], []);
  await own.delete('other', { propagationPolicy: 'Background' });
  await active(own, 'suspended', 0);
  await own.patch('suspended', { spec: { suspend: false } });
  await active(own, 'suspended', 1);
});
