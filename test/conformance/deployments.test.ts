import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, gone } from './support/control-plane.ts';
import { imageOf } from './support/pretended-node.ts';

const image = (tag: string): string => `registry.invalid/web:${tag}`;
const plane = controlPlane(async () => {
  await plane.addNode('node', { fateOf: (pod) => (imageOf(pod) === image('broken') ? 'pending' : 'ready') });
});

const labels = { app: 'web' };
const inNamespace = (resource: string, of: Resource): Resource => plane.api.resource(resource, of.namespace);
const setsOf = (own: Resource): Resource => inNamespace('apps/v1/replicasets', own);
const podsOf = (own: Resource): Resource => inNamespace('v1/pods', own);
const revision = ({ metadata }: Json): string => metadata.annotations?.['deployment.kubernetes.io/revision'];

function deployment(replicas: number, tag: string, fields: Json = {}): Json {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: image(tag) }] } };
  return { metadata: { name: 'web', labels }, spec: { replicas, selector: { matchLabels: labels }, template, ...fields } };
}

/** Waits for the rollout as kubectl does. */
function complete(own: Resource, replicas: number, tag: string): Promise<Json> {
  return eventually(
    `${replicas} replicas of ${tag}`,
    async () => {
      const { metadata, spec, status, ...rest } = await own.get('web');
      const is = [status.observedGeneration, spec.template.spec.containers[0].image];
      const counts = [status.replicas, status.updatedReplicas, status.availableReplicas, status.unavailableReplicas];
      assert.deepEqual([...is, ...counts], [metadata.generation, image(tag), replicas, replicas, replicas, undefined]);
      return { metadata, spec, status, ...rest };
    },
    30_000,
  );
}

/** The replica set of an image. */
async function setOf(own: Resource, tag: string): Promise<Json> {
  const { items } = await setsOf(own).list();
  return items.find((set: Json) => set.spec.template.spec.containers[0].image === image(tag));
}

const setImage = (own: Resource, tag: string): Promise<Json> =>
  own.change('web', ({ spec }) => {
    spec.template.spec.containers[0].image = image(tag);
  });

/** A replica set that nobody owns, of which a deployment with our labels takes possession. */
async function makeSet(own: Resource, annotations: Json = {}): Promise<Json> {
  const more = { ...labels, pod: 'old' };
  const template = { metadata: { labels: more }, spec: { containers: [{ name: 'web', image: image('old') }] } };
  const set = await setsOf(own).create({
    metadata: { name: 'adopted', labels: more, annotations },
    spec: { replicas: 1, selector: { matchLabels: more }, template },
  });
  await eventually('its pod is ready', async () => (await setsOf(own).get('adopted')).status.readyReplicas === 1);
  return set;
}

it('[sig-apps] Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await makeSet(own, { 'deployment.kubernetes.io/revision': '3546343826724305832' });
  await own.create(deployment(1, 'new'));
  const done = await complete(own, 1, 'new');
  assert.equal(revision(done), '3546343826724305833');
  const old = await setsOf(own).get('adopted');
  assert.deepEqual([old.metadata.ownerReferences[0].uid, old.spec.replicas], [done.metadata.uid, 0]);
  await eventually('only the new pod is left', async () => (await podsOf(own).list()).items.length === 1);
});

it('[sig-apps] Deployment RecreateDeployment should delete old pods and create new ones [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await own.create(deployment(3, 'old', { strategy: { type: 'Recreate' } }));
  assert.equal(revision(await complete(own, 3, 'old')), '1');
  const { resourceVersion } = (await podsOf(own).list()).metadata;
  const watch = await podsOf(own).watch({ resourceVersion });
  await setImage(own, 'new');
  assert.equal(revision(await complete(own, 3, 'new')), '2');
  const ended = new Set<string>();
  const first = await watch.until('a new pod', ({ type, object }) => {
    if (type === 'DELETED' || object.status.phase === 'Failed') ended.add(object.metadata.uid);
    return type === 'ADDED';
  });
  assert.equal(first.object.spec.containers[0].image, image('new'));
  assert.equal(ended.size, 3, 'none of the old pods ran any more');
  watch.stop();
});

it('[sig-apps] Deployment deployment should delete old replica sets [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await makeSet(own);
  const { resourceVersion } = (await podsOf(own).list()).metadata;
  const watch = await podsOf(own).watch({ resourceVersion });
  await own.create(deployment(1, 'new', { revisionHistoryLimit: 0 }));
  await complete(own, 1, 'new');
  await gone(setsOf(own), 'adopted');
  const added: string[] = [];
  await watch.until('the end of the old pod', ({ type, object }) => {
    if (type === 'ADDED') added.push(object.spec.containers[0].image);
    return type === 'DELETED';
  });
  assert.deepEqual(added, [image('new')]);
  watch.stop();
});

it('[sig-apps] Deployment deployment should support rollover [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await makeSet(own);
  const rollingUpdate = { maxUnavailable: 0, maxSurge: 1 };
  await own.create(deployment(1, 'broken', { minReadySeconds: 1, strategy: { type: 'RollingUpdate', rollingUpdate } }));
  const stuck = await eventually('the rollout has begun', async () => {
    const each = await own.get('web');
    return each.status.updatedReplicas >= 1 && each;
  });
  assert.equal(revision(stuck), '1');
  assert.equal((await setsOf(own).get('adopted')).spec.replicas, 1);
  await setImage(own, 'new');
  assert.equal(revision(await complete(own, 1, 'new')), '2');
  for (const tag of ['old', 'broken']) {
    const { spec, status } = await setOf(own, tag);
    assert.deepEqual([spec.replicas, status.replicas], [0, 0], tag);
  }
});

it('[sig-apps] Deployment deployment should support proportional scaling [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  const replicasAre = (tag: string, replicas: number): Promise<unknown> =>
    eventually(`${replicas} of ${tag}`, async () => {
      const { spec, status } = await setOf(own, tag);
      assert.deepEqual([spec.replicas, status.replicas], [replicas, replicas]);
      return true;
    });
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  await own.create(deployment(10, 'old', { strategy }));
  await complete(own, 10, 'old');
  await setImage(own, 'broken');
  // As many of the old as must be available, and of the new what the surge leaves.
  await replicasAre('old', 8);
  await replicasAre('broken', 5);
  assert.equal((await setOf(own, 'broken')).status.availableReplicas, undefined);
  await own.patch('web', { spec: { replicas: 30 } });
  // The twenty more in proportion to what each has: 8 and 5 of 13.
  await replicasAre('old', 20);
  await replicasAre('broken', 13);
});

it('[sig-apps] Deployment Deployment should have a working scale subresource [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await own.create(deployment(1, 'new'));
  await complete(own, 1, 'new');
  const scale = await own.get('web', 'scale');
  assert.deepEqual([scale.kind, scale.spec.replicas, scale.status], ['Scale', 1, { replicas: 1, selector: 'app=web' }]);
  const scaled = await own.update(
    { ...scale, metadata: { ...scale.metadata, resourceVersion: '' }, spec: { replicas: 2 } },
    'scale',
  );
  assert.equal(scaled.spec.replicas, 2);
  await complete(own, 2, 'new');
  const patched = await own.patch('web', { spec: { replicas: 4 } }, { type: 'strategic', subresource: 'scale' });
  assert.equal(patched.spec.replicas, 4);
  await complete(own, 4, 'new');
});

it('[sig-apps] Deployment should run the lifecycle of a Deployment [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  const ours = { labelSelector: 'test=lifecycle' };
  const object = deployment(2, 'old');
  object.metadata.labels.test = 'lifecycle';
  const { resourceVersion } = (await plane.api.resource('apps/v1/deployments').list(ours)).metadata;
  const watch = await own.watch({ ...ours, resourceVersion });
  const created = await own.create(object);
  await watch.until('two replicas are ready', (event) => event.object.status.readyReplicas === 2);
  const change = { terminationGracePeriodSeconds: 2, containers: [{ name: 'web', image: image('patched') }] };
  const patched = await own.patch('web', { spec: { replicas: 1, template: { spec: change } } }, { type: 'strategic' });
  assertNewer(patched, created);
  const one = await complete(own, 1, 'patched');
  assert.equal(one.spec.template.spec.terminationGracePeriodSeconds, 2);
  assert.equal((await plane.api.resource('apps/v1/deployments').list(ours)).items.length, 1);
  object.spec.template.spec.containers[0].image = image('updated');
  await own.update(object);
  await complete(own, 2, 'updated');
  const status = { readyReplicas: 0, availableReplicas: 0 };
  await own.patch('web', { status }, { type: 'strategic', subresource: 'status' });
  await watch.until(
    'the status that was written',
    (event) => event.object.status.updatedReplicas === 2 && !event.object.status.readyReplicas,
  );
  await eventually('the status is put right', async () => (await own.get('web', 'status')).status.readyReplicas === 2);
  await own.deleteCollection(ours, { gracePeriodSeconds: 1 });
  await watch.until('the deletion', ({ type }) => type === 'DELETED');
  watch.stop();
});

it('[sig-apps] Deployment should validate Deployment Status endpoints [Conformance]', async () => {
  const own = await plane.inNewNamespace('apps/v1/deployments');
  await own.create(deployment(1, 'new'));
  await complete(own, 1, 'new');
  const read = await own.get('web', 'status');
  assert.equal(read.status.conditions.find((each: Json) => each.type === 'Available').status, 'True');
  const condition = { type: 'Updated', status: 'True', reason: 'Test', message: 'set by a test' };
  const typesOf = ({ status }: Json): string[] => status.conditions.map((each: Json) => each.type);
  const updated = await own.change('web', ({ status }) => status.conditions.push(condition), 'status');
  assert.ok(typesOf(updated).includes('Updated'));
  const patch = { status: { conditions: [{ ...condition, type: 'Patched' }] } };
  const patched = await own.patch('web', patch, { subresource: 'status' });
  assert.deepEqual(typesOf(patched), ['Patched']);
});
