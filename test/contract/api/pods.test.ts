import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const pods = '/api/v1/namespaces/default/pods';
const spec = { containers: [{ name: 'c', image: 'i' }] };
const target = { kind: 'Node', name: 'n1' };

describe('pods', () => {
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    const started = await startTestApi({ clock });
    stop = started.stop;
    send = caller(started.server);
  });
  after(() => stop());

  async function running(name: string, labels = {}): Promise<void> {
    await send(`POST ${pods}`, { metadata: { name, labels }, spec });
    await send(`POST ${pods}/${name}/binding`, { metadata: { name }, target });
    const conditions = [{ type: 'Ready', status: 'True' }];
    const status = await send(`PATCH ${pods}/${name}/status`, { status: { phase: 'Running', conditions } }, mergePatch);
    assert.equal(status.status, 200, status.body);
  }

  it('answer what is posted to them with no table', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'tabled' }, spec });
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const evict = async (accept: string) =>
      (await send(`POST ${pods}/tabled/eviction?dryRun=All`, { metadata: { name: 'tabled' } }, { accept })).status;
    assert.equal(await evict(table), 406);
    assert.equal(await evict(`${table},application/json`), 201);
    assert.equal(await evict(table.replace('Table', 'PartialObjectMetadata')), 201);
  });

  it('are bound only as those the scheduler has seen', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'seen' }, spec });
    for (const [field, other] of [
      ['uid', 'u'],
      ['resourceVersion', '1'],
    ] as const) {
      const { status, json } = await send(`POST ${pods}/seen/binding`, { metadata: { name: 'seen', [field]: other }, target });
      assert.deepEqual([status, json.details.kind], [409, 'pods']);
      assert.match(json.message, new RegExp(`StorageError: .* Precondition failed: ${field} in precondition: ${other},`, 'i'));
    }
  });

  it('on no node go at once, on a node after their grace period', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'unbound' }, spec });
    const gone = await send(`DELETE ${pods}/unbound`);
    assert.equal(gone.json.metadata.deletionGracePeriodSeconds, 0);
    assert.equal((await send(`GET ${pods}/unbound`)).status, 404);

    await running('bound');
    const marked = (await send(`DELETE ${pods}/bound`)).json.metadata;
    assert.deepEqual([marked.deletionGracePeriodSeconds, marked.generation], [30, 2]);
    assert.equal(Date.parse(marked.deletionTimestamp), clock.now() + 30_000);
    const longer = (await send(`DELETE ${pods}/bound?gracePeriodSeconds=60`)).json.metadata;
    assert.equal(longer.resourceVersion, marked.resourceVersion, 'a longer period changes nothing');
    const shorter = (await send(`DELETE ${pods}/bound?gracePeriodSeconds=5`)).json.metadata;
    assert.equal(Date.parse(shorter.deletionTimestamp), clock.now() + 5000);
    await send(`DELETE ${pods}/bound?gracePeriodSeconds=0`);
    assert.equal((await send(`GET ${pods}/bound`)).status, 404);
  });

  it('are evicted only as far as their budget allows', async () => {
    const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
    const created = await send(`POST ${budgets}`, {
      metadata: { name: 'b' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
    });
    assert.equal(created.status, 201, created.body);
    await running('e1', { app: 'x' });
    await running('e2', { app: 'x' });
    const evict = (name: string) =>
      send(`POST ${pods}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });
    const early = await evict('e1');
    assert.deepEqual([early.status, early.headers['retry-after']], [429, '10'], 'the budget has not been observed yet');
    const status = {
      observedGeneration: created.json.metadata.generation ?? 0,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
    };
    await send(`PATCH ${budgets}/b/status`, { status }, mergePatch);
    assert.equal((await evict('e1')).status, 201);
    const refused = await evict('e2');
    assert.equal(refused.status, 429);
    assert.equal(refused.json.details.causes[0].reason, 'DisruptionBudget');
    const left = (await send(`GET ${budgets}/b`)).json.status;
    assert.equal(left.disruptionsAllowed, 0);
    assert.ok(left.disruptedPods.e1);
  });

  it('say why they go when they are evicted, unless another pod was meant', async () => {
    await running('told');
    const { uid, resourceVersion } = (await send(`GET ${pods}/told`)).json.metadata;
    const evict = (preconditions: object, query = '') =>
      send(`POST ${pods}/told/eviction${query}`, {
        ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'told' } },
        deleteOptions: { preconditions, ...(query ? { dryRun: ['All'] } : {}) },
      });
    const disruption = async () => {
      const { status } = (await send(`GET ${pods}/told`)).json;
      return status.conditions.find((each: { type: string }) => each.type === 'DisruptionTarget');
    };
    for (const other of [{ uid: 'other' }, { resourceVersion: '1' }]) assert.equal((await evict(other)).status, 409);
    assert.equal((await evict({}, '?dryRun=All')).status, 201);
    assert.equal(await disruption(), undefined);
    assert.equal((await evict({ uid, resourceVersion })).status, 201);
    const { status, reason, message } = await disruption();
    assert.deepEqual([status, reason, message], ['True', 'EvictionByEvictionAPI', 'Eviction API: evicting']);
    assert.ok((await send(`GET ${pods}/told`)).json.metadata.deletionTimestamp);
  });

  it('take containers for debugging and other resources through sub-resources only', async () => {
    await running('dbg');
    const ephemeralContainers = [{ name: 'debugger', image: 'busybox' }];
    const added = await send(`PATCH ${pods}/dbg/ephemeralcontainers`, { spec: { ephemeralContainers } }, mergePatch);
    assert.equal(added.status, 200, added.body);
    assert.deepEqual([added.json.spec.ephemeralContainers[0].name, added.json.metadata.generation], ['debugger', 2]);
    assert.equal((await send(`PATCH ${pods}/dbg`, { spec: { nodeName: 'n2' } }, mergePatch)).status, 422);
    const removed = await send(`PATCH ${pods}/dbg/ephemeralcontainers`, { spec: { ephemeralContainers: [] } }, mergePatch);
    assert.deepEqual([removed.status, removed.json.details?.causes[0].field], [422, 'spec.ephemeralContainers']);
  });

  it('are changed without a version, also with containers for debugging and before they start', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'fresh' }, spec });
    const path = `${pods}/fresh/ephemeralcontainers`;
    assert.equal((await send(`PATCH ${path}`, { spec: { ephemeralContainers: [] } }, mergePatch)).status, 200);
    await send(`PATCH ${path}`, { spec: { ephemeralContainers: [{ name: 'debugger', image: 'busybox' }] } }, mergePatch);
    const { json } = await send(`GET ${pods}/fresh`);
    const { resourceVersion: _, ...metadata } = json.metadata;
    const put = await send(`PUT ${pods}/fresh`, { ...json, metadata: { ...metadata, labels: { put: 'yes' } } });
    assert.equal(put.status, 200, put.body);
  });
});

describe('namespaces', () => {
  it('are Terminating until their finalizers are taken away', async () => {
    const { server, stop } = await startTestApi();
    const send = caller(server);
    await send('POST /api/v1/namespaces', { metadata: { name: 'n' } });
    const marked = await send('DELETE /api/v1/namespaces/n');
    assert.equal(marked.json.status.phase, 'Terminating');
    const { json } = await send('GET /api/v1/namespaces/n');
    assert.ok(json.metadata.deletionTimestamp);
    const finalized = await send('PUT /api/v1/namespaces/n/finalize', { ...json, spec: { finalizers: [] } });
    assert.equal(finalized.status, 200, finalized.body);
    assert.equal((await send('GET /api/v1/namespaces/n')).status, 404);
    await stop();
  });
});
