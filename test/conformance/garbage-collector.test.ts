import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { controlPlane, exists, gone } from './support/control-plane.ts';

const plane = controlPlane();
const pods = 'v1/pods';
const containers = [{ name: 'app', image: 'registry.invalid/app:1' }];
const controllers = (of: Resource): Resource => plane.api.resource('v1/replicationcontrollers', of.namespace);
const namesIn = async (resource: Resource): Promise<string[]> =>
  (await resource.list()).items.map((item: Json) => item.metadata.name);

async function makeController(own: Resource, name: string, replicas: number): Promise<Json> {
  const labels = { of: name };
  const created = await controllers(own).create({
    metadata: { name },
    spec: { replicas, selector: labels, template: { metadata: { labels }, spec: { containers } } },
  });
  await eventually(`${name} has ${replicas} pods`, async () => (await controllers(own).get(name)).status.replicas === replicas);
  return created;
}

async function makeDeployment(sets: Resource): Promise<Json> {
  const labels = { app: 'web' };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
  const created = await deployments(sets).create({ metadata: { name: 'web' }, spec });
  const ready = async (): Promise<boolean> => (await sets.list()).items[0]?.status.replicas === 2;
  await eventually('the replica set and its pods are there', ready);
  return created;
}

const deployments = (of: Resource): Resource => plane.api.resource('apps/v1/deployments', of.namespace);
const deleteOptions = (owner: Json, propagationPolicy: string): Json => ({
  propagationPolicy,
  preconditions: { uid: owner.metadata.uid },
});

it('[sig-api-machinery] Garbage collector should delete RS created by deployment when not orphaning [Conformance]', async () => {
  const sets = await plane.inNewNamespace('apps/v1/replicasets');
  const deployment = await makeDeployment(sets);
  await deployments(sets).delete('web', deleteOptions(deployment, 'Background'));
  assert.equal(await exists(deployments(sets), 'web'), false);
  await eventually('the replica set is gone', async () => (await namesIn(sets)).length === 0);
  const left = plane.api.resource(pods, sets.namespace);
  await eventually('its pods are gone', async () => (await namesIn(left)).length === 0);
});

it('[sig-api-machinery] Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]', async () => {
  const sets = await plane.inNewNamespace('apps/v1/replicasets');
  const deployment = await makeDeployment(sets);
  await deployments(sets).delete('web', deleteOptions(deployment, 'Orphan'));
  await gone(deployments(sets), 'web');
  const { items } = await sets.list();
  assert.equal(items.length, 1);
  assert.equal(items[0].metadata.ownerReferences, undefined);
  assert.equal((await namesIn(plane.api.resource(pods, sets.namespace))).length, 2);
});

it('[sig-api-machinery] Garbage collector should delete pods created by rc when not orphaning [Conformance]', async () => {
  const own = await plane.inNewNamespace(pods);
  const owner = await makeController(own, 'rc', 2);
  await controllers(own).delete('rc', deleteOptions(owner, 'Background'));
  assert.equal(await exists(controllers(own), 'rc'), false);
  await eventually('the pods are gone', async () => (await namesIn(own)).length === 0);
});

it('[sig-api-machinery] Garbage collector should orphan pods created by rc if delete options say so [Serial] [Conformance]', async () => {
  const own = await plane.inNewNamespace(pods);
  const owner = await makeController(own, 'rc', 20);
  await controllers(own).delete('rc', deleteOptions(owner, 'Orphan'));
  await gone(controllers(own), 'rc');
  // Later owners come and go: by then the collector has seen that the first is gone.
  const later = await makeController(own, 'later', 1);
  await controllers(own).delete('later', deleteOptions(later, 'Background'));
  await eventually('the later pod is gone', async () => (await own.list({ labelSelector: 'of=later' })).items.length === 0);
  const { items } = await own.list();
  assert.equal(items.length, 20);
  for (const { metadata } of items)
    assert.deepEqual([metadata.ownerReferences, metadata.deletionTimestamp], [undefined, undefined]);
});

it('[sig-api-machinery] Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Serial] [Conformance]', async () => {
  const own = await plane.inNewNamespace(pods);
  const owner = await makeController(own, 'rc', 10);
  const [held] = await namesIn(own);
  const finalizers = (list: readonly string[]): Promise<Json> => own.patch(held!, { metadata: { finalizers: list } });
  await finalizers(['example.com/hold']);
  await controllers(own).delete('rc', deleteOptions(owner, 'Foreground'));
  await eventually('one pod is left', async () => (await namesIn(own)).length === 1);
  const waiting = await controllers(own).get('rc');
  assert.ok(waiting.metadata.deletionTimestamp);
  assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion']);
  await finalizers([]);
  await gone(controllers(own), 'rc');
  assert.deepEqual(await namesIn(own), []);
});

it("[sig-api-machinery] Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Serial] [Conformance]", async () => {
  const own = await plane.inNewNamespace(pods);
  const leaving = await makeController(own, 'leaving', 10);
  const staying = await makeController(own, 'staying', 0);
  const shared = (await namesIn(own)).slice(0, 5);
  const { name, uid } = staying.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ReplicationController', name, uid }];
  for (const pod of shared) await own.patch(pod, { metadata: { ownerReferences } }, { type: 'strategic' });
  await controllers(own).delete('leaving', deleteOptions(leaving, 'Foreground'));
  await gone(controllers(own), 'leaving');
  const { items } = await own.list();
  assert.deepEqual(
    items.map((item: Json) => item.metadata.name),
    shared,
  );
  for (const { metadata } of items) {
    assert.equal(metadata.deletionTimestamp, undefined);
    assert.deepEqual(
      metadata.ownerReferences.map((each: Json) => each.uid),
      [uid],
    );
  }
});

it('[sig-api-machinery] Garbage collector should not be blocked by dependency circle [Conformance]', async () => {
  const own = await plane.inNewNamespace(pods);
  const made: Json[] = [];
  for (const name of ['one', 'two', 'three']) made.push(await own.create({ metadata: { name }, spec: { containers } }));
  for (const [n, pod] of made.entries()) {
    const { name, uid } = made[(n + 2) % 3].metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true }];
    await own.patch(pod.metadata.name, { metadata: { ownerReferences } }, { type: 'strategic' });
  }
  await own.delete('one', deleteOptions(made[0], 'Foreground'));
  await eventually('all three are gone', async () => (await namesIn(own)).length === 0, 30_000);
});
