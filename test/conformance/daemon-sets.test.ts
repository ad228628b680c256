import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, gone } from './support/control-plane.ts';
import { imageOf } from './support/pretended-node.ts';

const nodeNames = ['one', 'two', 'three'];
const plane = controlPlane(async () => {
  for (const name of nodeNames) await plane.addNode(name, { fateOf: (pod) => (imageOf(pod) === 'broken' ? 'pending' : 'ready') });
});

const daemonSets = 'apps/v1/daemonsets';
const labels = { app: 'agent' };
const podsOf = (own: Resource): Resource => plane.api.resource('v1/pods', own.namespace);

function daemonSet(image: string, podSpec: Json = {}): Json {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'agent', image }], ...podSpec } };
  return { metadata: { name: 'agent', labels }, spec: { selector: { matchLabels: labels }, template } };
}

/** Waits until a ready pod of an image is on each of these nodes, and the status says so. */
function running(own: Resource, on: readonly string[], image = 'old'): Promise<Json[]> {
  return eventually(
    `${image} on ${on.join(', ') || 'no node'}`,
    async () => {
      const { items } = await podsOf(own).list();
      const where = items.map((pod: Json) => `${pod.spec.nodeName} ${imageOf(pod)} ${pod.status.phase}`);
      assert.deepEqual(where.toSorted(), on.map((name) => `${name} ${image} Running`).toSorted());
      const { metadata, status } = await own.get('agent');
      const { desiredNumberScheduled, currentNumberScheduled, numberReady, observedGeneration } = status;
      const counts = [desiredNumberScheduled, currentNumberScheduled, numberReady, observedGeneration];
      assert.deepEqual(counts, [on.length, on.length, on.length, metadata.generation]);
      return items;
    },
    30_000,
  );
}

async function make(): Promise<Resource> {
  const own = await plane.inNewNamespace(daemonSets);
  await own.create(daemonSet('old'));
  await running(own, nodeNames);
  return own;
}

const setImage = (own: Resource, image: string): Promise<Json> =>
  own.patch('agent', { spec: { template: { spec: { containers: [{ name: 'agent', image }] } } } }, { type: 'strategic' });

/** The revision that all pods have, and how many revisions there are. */
async function history(own: Resource): Promise<{ revision: number; revisions: number }> {
  const { items } = await plane.api.resource('apps/v1/controllerrevisions', own.namespace).list({ labelSelector: 'app=agent' });
  const pods = (await podsOf(own).list()).items;
  const hashes = new Set(pods.map((pod: Json) => pod.metadata.labels['controller-revision-hash']));
  assert.equal(hashes.size, 1);
  const current = items.find((each: Json) => hashes.has(each.metadata.labels['controller-revision-hash']));
  return { revision: current.revision, revisions: items.length };
}

it('[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]', async () => {
  const own = await make();
  const [pod] = await running(own, nodeNames);
  await podsOf(own).delete(pod.metadata.name);
  await gone(podsOf(own), pod.metadata.name);
  await running(own, nodeNames);
  await own.delete('agent');
  await eventually('the pods are gone', async () => (await podsOf(own).list()).items.length === 0);
});

it('[sig-apps] Daemon set [Serial] should run and stop complex daemon [Conformance]', async () => {
  const own = await plane.inNewNamespace(daemonSets);
  const paint = (color: string | null): Promise<Json> =>
    plane.api.resource('v1/nodes').patch('two', { metadata: { labels: { color } } });
  await own.create(daemonSet('old', { nodeSelector: { color: 'blue' } }));
  await running(own, []);
  await paint('blue');
  await running(own, ['two']);
  await paint('green');
  await running(own, []);
  await own.patch('agent', { spec: { template: { spec: { nodeSelector: { color: 'green' } } } } }, { type: 'strategic' });
  await running(own, ['two']);
  await paint(null);
  await running(own, []);
});

it('[sig-apps] Daemon set [Serial] should retry creating failed daemon pods [Conformance]', async () => {
  const own = await make();
  const [pod] = await running(own, nodeNames);
  const { name } = pod.metadata;
  await podsOf(own).patch(name, { status: { phase: 'Failed' } }, { subresource: 'status' });
  await gone(podsOf(own), name);
  await running(own, nodeNames);
});

it('[sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate [Conformance]', async () => {
  const own = await make();
  assert.deepEqual(await history(own), { revision: 1, revisions: 1 });
  const before = await own.get('agent');
  assertNewer(await setImage(own, 'new'), before);
  await running(own, nodeNames, 'new');
  assert.deepEqual(await history(own), { revision: 2, revisions: 2 });
});

it('[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]', async () => {
  const own = await make();
  const uidOf = (pod: Json): string => pod.metadata.uid;
  const before = (await running(own, nodeNames)).map(uidOf);
  await setImage(own, 'broken');
  // One may be unavailable at a time: the rollout stops there.
  const broken = await eventually('one pod is of the broken image', async () => {
    const { items } = await podsOf(own).list();
    return items.length === 3 && items.find((pod: Json) => imageOf(pod) === 'broken');
  });
  const kept = (await podsOf(own).list()).items.map(uidOf).filter((uid: string) => before.includes(uid));
  assert.equal(kept.length, 2);
  await setImage(own, 'old');
  const after = (await running(own, nodeNames)).map(uidOf);
  assert.deepEqual(after.filter((uid) => before.includes(uid)).toSorted(), kept.toSorted());
  assert.ok(!after.includes(uidOf(broken)));
});

it('[sig-apps] Daemon set [Serial] should list and delete a collection of DaemonSets [Conformance]', async () => {
  const own = await make();
  const here = { labelSelector: 'app=agent', fieldSelector: `metadata.namespace=${own.namespace}` };
  assert.equal((await plane.api.resource(daemonSets).list(here)).items.length, 1);
  await own.deleteCollection({ labelSelector: 'app=agent' }, { gracePeriodSeconds: 1 });
  assert.deepEqual((await own.list()).items, []);
});

it('[sig-apps] Daemon set [Serial] should verify changes to a daemon set status [Conformance]', async () => {
  const own = await make();
  assert.equal((await own.get('agent', 'status')).status.numberReady, 3);
  const condition = { type: 'Updated', status: 'True', reason: 'Test', message: 'set by a test' };
  const edit = ({ status }: Json): void => {
    status.conditions = [...(status.conditions ?? []), condition];
  };
  assert.deepEqual((await own.change('agent', edit, 'status')).status.conditions, [condition]);
  const other = { ...condition, type: 'Patched' };
  const patched = await own.patch('agent', { status: { conditions: [other] } }, { subresource: 'status' });
  assert.deepEqual(patched.status.conditions, [other]);
});

it('[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a ControllerRevision [Conformance]', async () => {
  const own = await make();
  const revisions = plane.api.resource('apps/v1/controllerrevisions', own.namespace);
  const [first] = (await revisions.list({ labelSelector: 'app=agent' })).items;
  const everywhere = plane.api.resource('apps/v1/controllerrevisions');
  const here = { labelSelector: 'app=agent', fieldSelector: `metadata.namespace=${own.namespace}` };
  assert.equal((await everywhere.list(here)).items.length, 1);
  const { name } = first.metadata;
  const patched = await revisions.patch(name, { metadata: { labels: { [name]: 'patched' } } }, { type: 'strategic' });
  assert.equal(patched.metadata.labels[name], 'patched');
  assertNewer(patched, first);
  // A second one like it, of the same owner.
  const { ownerReferences, labels: ofFirst } = first.metadata;
  const second = { name: 'second', labels: { ...ofFirst, second: 'true' }, ownerReferences };
  await revisions.create({ metadata: second, data: first.data, revision: first.revision + 1 });
  await revisions.delete(name);
  // The controller needs a revision of its template, and finds one.
  await eventually('one revision is left', async () => (await revisions.list()).items.length === 1);
  const updated = await revisions.change((await revisions.list()).items[0].metadata.name, ({ metadata }) => {
    metadata.labels.updated = 'true';
  });
  assert.equal(updated.metadata.labels.updated, 'true');
  await setImage(own, 'new');
  await running(own, nodeNames, 'new');
  assert.equal((await revisions.list()).items.length, 2);
  await revisions.deleteCollection({ labelSelector: 'updated=true' });
  await gone(revisions, updated.metadata.name);
});
