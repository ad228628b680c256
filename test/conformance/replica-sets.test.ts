/** ReplicaSets and ReplicationControllers, which are required to do the same. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, exists, gone } from './support/control-plane.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node');
});

const sets = 'apps/v1/replicasets';
const controllers = 'v1/replicationcontrollers';
const labels = { app: 'web' };
const containers = [{ name: 'web', image: 'registry.invalid/web:1' }];
const podsOf = (own: Resource): Resource => plane.api.resource('v1/pods', own.namespace);

function object(resource: string, replicas: number): Json {
  const selector = resource === sets ? { matchLabels: labels } : labels;
  return {
    metadata: { name: 'web', labels },
    spec: { replicas, selector, template: { metadata: { labels }, spec: { containers } } },
  };
}

const ready = (own: Resource, count: number): Promise<Json> =>
  eventually(`${count} replicas are ready`, async () => {
    const { metadata, status, ...rest } = await own.get('web');
    const { replicas, readyReplicas, availableReplicas, observedGeneration } = status;
    assert.deepEqual(
      [replicas, readyReplicas, availableReplicas, observedGeneration],
      [count, count, count, metadata.generation],
    );
    return { metadata, status, ...rest };
  });

async function make(resource: string, replicas: number): Promise<Resource> {
  const own = await plane.inNewNamespace(resource);
  await own.create(object(resource, replicas));
  await ready(own, replicas);
  return own;
}

const served: readonly (readonly [name: string, resource: string])[] = [
  ['[sig-apps] ReplicaSet should serve a basic image on each replica with a public image [Conformance]', sets],
  ['[sig-apps] ReplicationController should serve a basic image on each replica with a public image [Conformance]', controllers],
];

for (const [name, resource] of served)
  it(name, async () => {
    const own = await make(resource, 3);
    const { items } = await podsOf(own).list();
    assert.equal(new Set(items.map((pod: Json) => pod.status.podIP)).size, 3);
    for (const { metadata, spec, status } of items) {
      assert.deepEqual([spec.nodeName, status.phase, metadata.labels], ['node', 'Running', labels]);
      assert.match(metadata.name, /^web-[a-z0-9]{5}$/);
    }
  });

async function checkAdoption(resource: string): Promise<{ own: Resource; uid: string; pod: Json }> {
  const own = await plane.inNewNamespace(resource);
  const before = await podsOf(own).create({ metadata: { name: 'orphan', labels }, spec: { containers } });
  await own.create(object(resource, 1));
  const { uid } = (await ready(own, 1)).metadata;
  const { items } = await podsOf(own).list();
  assert.equal(items.length, 1, 'the orphan is enough');
  assert.equal(items[0].metadata.uid, before.metadata.uid);
  const [owner] = items[0].metadata.ownerReferences;
  assert.deepEqual([owner.uid, owner.controller, owner.blockOwnerDeletion], [uid, true, true]);
  return { own, uid, pod: items[0] };
}

async function checkRelease(own: Resource, pod: Json): Promise<void> {
  await podsOf(own).patch(pod.metadata.name, { metadata: { labels: { app: 'else' } } });
  await eventually('the pod is let go, and replaced', async () => {
    const { items } = await podsOf(own).list();
    const released = items.find(({ metadata }: Json) => metadata.uid === pod.metadata.uid);
    return items.length === 2 && released.metadata.ownerReferences === undefined;
  });
}

it('[sig-apps] ReplicaSet should adopt matching pods on creation and release no longer matching pods [Conformance]', async () => {
  const { own, pod } = await checkAdoption(sets);
  await checkRelease(own, pod);
});

it('[sig-apps] ReplicationController should adopt matching pods on creation [Conformance]', async () => {
  await checkAdoption(controllers);
});

it('[sig-apps] ReplicationController should release no longer matching pods [Conformance]', async () => {
  const own = await make(controllers, 1);
  await checkRelease(own, (await podsOf(own).list()).items[0]);
});

const scales: readonly (readonly [name: string, resource: string])[] = [
  ['[sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]', sets],
  ['[sig-apps] ReplicationController should get and update a ReplicationController scale [Conformance]', controllers],
];

for (const [name, resource] of scales)
  it(name, async () => {
    const own = await make(resource, 1);
    const scale = await own.get('web', 'scale');
    assert.deepEqual([scale.kind, scale.spec.replicas, scale.status], ['Scale', 1, { replicas: 1, selector: 'app=web' }]);
    const { resourceVersion: _, ...metadata } = scale.metadata;
    assert.equal((await own.update({ ...scale, metadata, spec: { replicas: 2 } }, 'scale')).spec.replicas, 2);
    await ready(own, 2);
    await own.patch('web', { spec: { replicas: 4 } }, { type: 'strategic', subresource: 'scale' });
    await ready(own, 4);
  });

it('[sig-apps] ReplicaSet Replace and Patch tests [Conformance]', async () => {
  const own = await make(sets, 1);
  const created = await own.get('web');
  await own.change('web', ({ spec }) => {
    spec.replicas = 2;
  });
  await ready(own, 2);
  const change = { terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: 'registry.invalid/web:2' }] };
  const patch = { metadata: { labels: { test: 'patched' } }, spec: { replicas: 3, template: { spec: change } } };
  const patched = await own.patch('web', patch, { type: 'strategic' });
  assertNewer(patched, created);
  const { metadata, spec } = await ready(own, 3);
  const { containers: changed, terminationGracePeriodSeconds } = spec.template.spec;
  assert.deepEqual(
    [metadata.labels.test, changed[0].image, terminationGracePeriodSeconds],
    ['patched', change.containers[0]!.image, 0],
  );
});

it('[sig-apps] ReplicaSet should list and delete a collection of ReplicaSets [Conformance]', async () => {
  const own = await make(sets, 3);
  const ours = { labelSelector: 'app=web', fieldSelector: `metadata.namespace=${own.namespace}` };
  const everywhere = plane.api.resource(sets);
  assert.equal((await everywhere.list(ours)).items.length, 1);
  await own.deleteCollection({ labelSelector: 'app=web' }, { gracePeriodSeconds: 1 });
  assert.deepEqual((await everywhere.list(ours)).items, []);
  await eventually('the pods are gone', async () => (await podsOf(own).list()).items.length === 0);
});

it('[sig-apps] ReplicaSet should validate Replicaset Status endpoints [Conformance]', async () => {
  const own = await make(sets, 1);
  assert.equal((await own.get('web', 'status')).status.replicas, 1);
  const condition = { type: 'Updated', status: 'True', reason: 'Test', message: 'set by a test' };
  const edit = ({ status }: Json): void => {
    status.conditions = [...(status.conditions ?? []), condition];
  };
  assert.deepEqual((await own.change('web', edit, 'status')).status.conditions, [condition]);
  const other = { ...condition, type: 'Patched' };
  const patched = await own.patch('web', { status: { conditions: [other] } }, { subresource: 'status' });
  assert.deepEqual(patched.status.conditions, [other]);
});

it('[sig-apps] ReplicationController should test the lifecycle of a ReplicationController [Conformance]', async () => {
  const own = await plane.inNewNamespace(controllers);
  const { resourceVersion } = (await own.list()).metadata;
  const watch = await own.watch({ resourceVersion });
  const created = await own.create(object(controllers, 1));
  await watch.until('the controller', ({ type }) => type === 'ADDED');
  await watch.until('its pod is ready', ({ object: { status } }) => status.readyReplicas === 1);
  const patched = await own.patch('web', { metadata: { labels: { test: 'patched' } } }, { type: 'strategic' });
  assertNewer(patched, created);
  await watch.until('the label', ({ object: { metadata } }) => metadata.labels.test === 'patched');
  const status = { readyReplicas: 0, availableReplicas: 0 };
  const answer = await own.patch('web', { status }, { type: 'strategic', subresource: 'status' });
  assert.equal(answer.status.readyReplicas ?? 0, 0);
  await watch.until('the status is put right', (event) => event.object.status.readyReplicas === 1);
  assert.equal((await own.get('web', 'status')).status.replicas, 1);
  await own.patch('web', { spec: { replicas: 2 } }, { type: 'strategic', subresource: 'scale' });
  await watch.until('two pods', (event) => event.object.status.readyReplicas === 2);
  assert.equal((await plane.api.resource(controllers).list({ labelSelector: 'test=patched' })).items.length, 1);
  await own.change('web', ({ metadata }) => {
    metadata.labels.test = 'updated';
  });
  await own.deleteCollection({ labelSelector: 'test=updated' }, { propagationPolicy: 'Background' });
  await watch.until('the deletion', ({ type }) => type === 'DELETED');
  assert.equal(await exists(own, 'web'), false);
  for (const { metadata } of (await podsOf(own).list()).items) await gone(podsOf(own), metadata.name);
  watch.stop();
});
