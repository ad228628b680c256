import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane } from './support/control-plane.ts';

const plane = controlPlane();
const core = 'v1/events';
const events = 'events.k8s.io/v1/events';
const names = ['one', 'three', 'two'];
const namesIn = (list: Json): string[] => list.items.map((item: Json) => item.metadata.name);

function coreEvent(name: string, namespace: string, labels = {}): Json {
  const involvedObject = { namespace };
  return { metadata: { name, labels }, message: 'a test', reason: 'Test', type: 'Normal', count: 1, involvedObject };
}

function newEvent(name: string, namespace: string, labels = {}): Json {
  return {
    metadata: { name, labels },
    regarding: { namespace },
    eventTime: '2017-09-19T13:49:16.000000Z',
    note: 'a test',
    reason: 'Test',
    action: 'Do',
    type: 'Normal',
    reportingController: 'test-controller',
    reportingInstance: 'test-node',
  };
}

/** Without what the server changes at each write. */
function withoutVersion({ metadata: { resourceVersion: _, managedFields: __, ...metadata }, ...event }: Json): Json {
  return { ...event, metadata };
}

const collections: readonly (readonly [name: string, resource: string, make: typeof coreEvent])[] = [
  ['[sig-instrumentation] Events should delete a collection of events [Conformance]', core, coreEvent],
  ['[sig-instrumentation] Events API should delete a collection of events [Conformance]', events, newEvent],
];

for (const [title, resource, make] of collections)
  it(title, async () => {
    const own = await plane.inNewNamespace(resource);
    for (const name of names) await own.create(make(name, own.namespace!, { set: 'true' }));
    const selector = { labelSelector: 'set=true' };
    assert.deepEqual(namesIn(await own.list(selector)), names);
    await own.deleteCollection(selector);
    assert.deepEqual(namesIn(await own.list(selector)), []);
  });

it('[sig-instrumentation] Events should manage the lifecycle of an event [Conformance]', async () => {
  const own = await plane.inNewNamespace(core);
  const listed = async (): Promise<string[]> =>
    namesIn(
      await plane.api
        .resource(core)
        .list({ labelSelector: 'constant=true', fieldSelector: `metadata.namespace=${own.namespace}` }),
    );
  await own.create(coreEvent('a', own.namespace!, { constant: 'true' }));
  assert.deepEqual(await listed(), ['a']);
  await own.patch('a', { message: 'patched' }, { type: 'strategic' });
  const patched = await own.get('a');
  assert.equal(patched.message, 'patched');
  const next = { ...withoutVersion(patched), series: { count: 100, lastObservedTime: '2017-09-19T13:49:16.000000Z' } };
  await own.update(next);
  assert.deepEqual(withoutVersion(await own.get('a')), next);
  await own.delete('a');
  assert.deepEqual(await listed(), []);
});

it('[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed [Conformance]', async () => {
  const own = await plane.inNewNamespace(events);
  const { namespace } = own;
  const places: readonly (readonly [Resource, Record<string, string>])[] = [
    [own, {}],
    [plane.api.resource(events), { fieldSelector: `metadata.namespace=${namespace}` }],
  ];
  const created = await own.create(newEvent('a', namespace!, { constant: 'true' }));
  assertVersion(created);
  for (const [place, query] of places)
    assert.deepEqual(namesIn(await place.list({ ...query, labelSelector: 'constant=true' })), ['a']);
  // The two APIs are views of one thing, each with its own names for the fields.
  await own.create({ ...newEvent('b', namespace!), reportingController: 'another-controller' });
  const bySource = await plane.api.resource(core, namespace).list({ fieldSelector: 'source=test-controller' });
  const byController = await own.list({ fieldSelector: 'reportingController=test-controller' });
  for (const list of [bySource, byController]) assert.deepEqual(namesIn(list), ['a']);
  await own.delete('b');

  const before = await own.get('a');
  const series = (count: number): Json => ({ count, lastObservedTime: '2017-09-19T13:49:11.000000Z' });
  await own.patch('a', { series: series(2) }, { type: 'strategic' });
  const patched = await own.get('a');
  assertNewer(patched, created);
  assert.deepEqual(withoutVersion(patched), { ...withoutVersion(before), series: series(2) });
  await own.update({ ...withoutVersion(before), series: series(100) });
  assert.deepEqual(withoutVersion(await own.get('a')), { ...withoutVersion(before), series: series(100) });
  await own.delete('a');
  for (const [place, query] of places)
    assert.deepEqual(namesIn(await place.list({ ...query, labelSelector: 'constant=true' })), []);
});
