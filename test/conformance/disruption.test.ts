import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane, exists, gone, refused } from './support/control-plane.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node');
});

const budgets = 'policy/v1/poddisruptionbudgets';
const labels = { app: 'web' };
const podsOf = (own: Resource): Resource => plane.api.resource('v1/pods', own.namespace);
const budget = (minAvailable: number | string): Json => ({
  metadata: { name: 'budget', labels },
  spec: { minAvailable, selector: { matchLabels: labels } },
});

/** Waits until the budget has been counted with this many healthy pods. */
const counted = (own: Resource, currentHealthy: number, disruptionsAllowed: number): Promise<unknown> =>
  eventually(`${currentHealthy} healthy pods, ${disruptionsAllowed} may go`, async () => {
    const { metadata, status } = await own.get('budget');
    const is = [status.observedGeneration, status.currentHealthy, status.disruptionsAllowed];
    assert.deepEqual(is, [metadata.generation, currentHealthy, disruptionsAllowed]);
    return true;
  });

async function makePods(own: Resource, replicas: number): Promise<void> {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'registry.invalid/web:1' }] } };
  const sets = plane.api.resource('apps/v1/replicasets', own.namespace);
  await sets.create({ metadata: { name: 'web' }, spec: { replicas, selector: { matchLabels: labels }, template } });
  await eventually('the pods are ready', async () => (await sets.get('web')).status.readyReplicas === replicas);
}

async function evict(own: Resource): Promise<string> {
  const { items } = await podsOf(own).list();
  const { name } = items.find(({ metadata }: Json) => !metadata.deletionTimestamp).metadata;
  const path = podsOf(own).path({ name, subresource: 'eviction' });
  await plane.api.call('POST', path, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });
  return name;
}

async function mayNotEvict(own: Resource): Promise<void> {
  const { details } = await refused(evict(own), 429, 'TooManyRequests');
  assert.equal(details.causes[0].reason, 'DisruptionBudget');
}

it('[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it [Conformance]', async () => {
  const own = await plane.inNewNamespace(budgets);
  await own.create(budget(3));
  await makePods(own, 3);
  await counted(own, 3, 0);
  await mayNotEvict(own);
  await own.change('budget', ({ spec }) => {
    spec.minAvailable = 2;
  });
  await counted(own, 3, 1);
  await gone(podsOf(own), await evict(own));
  await counted(own, 3, 1);
  await own.patch('budget', { spec: { minAvailable: null, maxUnavailable: 0 } });
  await counted(own, 3, 0);
  await mayNotEvict(own);
  await own.delete('budget');
  await gone(podsOf(own), await evict(own));
});

it('[sig-apps] DisruptionController should observe PodDisruptionBudget status updated [Conformance]', async () => {
  const own = await plane.inNewNamespace(budgets);
  await own.create(budget(1));
  await makePods(own, 3);
  await counted(own, 3, 2);
});

it('[sig-apps] DisruptionController should update/patch PodDisruptionBudget status [Conformance]', async () => {
  const own = await plane.inNewNamespace(budgets);
  await own.create(budget(1));
  await makePods(own, 1);
  await counted(own, 1, 0);
  const [pod] = (await podsOf(own).list()).items;
  const { name } = pod.metadata;
  const updated = await own.change(
    'budget',
    ({ status }) => {
      status.disruptedPods = { [name]: new Date().toISOString() };
    },
    'status',
  );
  assert.deepEqual(Object.keys(updated.status.disruptedPods), [name]);
  assert.deepEqual(Object.keys((await own.get('budget', 'status')).status.disruptedPods), [name]);
  const patched = await own.patch('budget', { status: { disruptedPods: null } }, { subresource: 'status' });
  assert.equal(patched.status.disruptedPods, undefined);
});

it('[sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]', async () => {
  const own = await plane.inNewNamespace(budgets);
  await own.create(budget('1%'));
  const updated = await own.change('budget', ({ spec }) => {
    spec.minAvailable = '2%';
  });
  assert.equal(updated.spec.minAvailable, '2%');
  assertVersion(updated);
  const patched = await own.patch('budget', { spec: { minAvailable: '3%' } });
  assert.equal(patched.spec.minAvailable, '3%');
  assertNewer(patched, updated);
  await own.delete('budget');
  assert.equal(await exists(own, 'budget'), false);
});
