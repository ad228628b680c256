import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ReplicaSet } from '../../../src/api/kinds/apps/replica-set.ts';
import { createLoopbackClient } from '../../../src/client/loopback-client.ts';
import type { AdmissionPlugin } from '../../../src/server/admission/admission.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { RevisionConflict, StoreBusy } from '../../../src/storage/store.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';

describe('writes', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi());
    send = caller(server);
  });
  after(() => stop());

  it('loses none of many patches at the same time', async () => {
    await send(`POST ${maps}`, { metadata: { name: 'busy' } });
    const names = Array.from({ length: 50 }, (_, i) => `k${i}`);
    const answers = await Promise.all(names.map((k) => send(`PATCH ${maps}/busy`, { data: { [k]: k } }, mergePatch)));
    assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
    const { json } = await send(`GET ${maps}/busy`);
    assert.deepEqual(Object.keys(json.data).sort(), names.sort());
  });

  it('lets only one of two updates of the same version through', async () => {
    const { json } = await send(`POST ${maps}`, { metadata: { name: 'race' } });
    const put = (v: string) => send(`PUT ${maps}/race`, { ...json, data: { v } });
    const answers = await Promise.all([put('a'), put('b'), put('c')]);
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409, 409]);
  });

  it('writes nothing when nothing changes', async () => {
    const created = await send(`POST ${maps}`, { metadata: { name: 'same' }, data: { a: '1' } });
    const version = created.json.metadata.resourceVersion;
    const patched = await send(`PATCH ${maps}/same`, { data: { a: '1' } }, mergePatch);
    assert.equal(patched.json.metadata.resourceVersion, version);
    const put = await send(`PUT ${maps}/same`, { metadata: { name: 'same' }, data: { a: '1' } });
    assert.equal(put.json.metadata.resourceVersion, version);
    assert.equal((await send(`GET ${maps}/same`)).json.metadata.resourceVersion, version);
  });

  it('answers a write with the bytes a GET gives', async () => {
    const named = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bytes' } };
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const writes = [
      () => send(`POST ${maps}`, { ...named, data: { a: '1' } }),
      () => send(`PUT ${maps}/bytes`, { ...named, data: { a: '2' } }),
      () => send(`PATCH ${maps}/bytes`, { data: { a: '3' } }, mergePatch),
      () => send(`PATCH ${maps}/bytes?fieldManager=m&force=true`, { ...named, data: { a: '4' } }, apply),
    ];
    for (const [i, write] of writes.entries()) {
      const written = await write();
      assert.equal(written.json.data.a, String(i + 1));
      assert.equal(written.body, (await send(`GET ${maps}/bytes`)).body);
    }
  });

  it('starts a PUT again from its body when somebody else was faster', async () => {
    let api: Send | undefined;
    const intruder: AdmissionPlugin = {
      name: 'Intruder',
      async admit({ operation, name }) {
        if (operation !== 'UPDATE' || name !== 'overtaken') return;
        const faster = api;
        api = undefined;
        await faster?.(`PATCH ${maps}/overtaken`, { metadata: { annotations: { by: 'intruder' } } }, mergePatch);
      },
    };
    const { server: raced, stop: stopRaced } = await startTestApi({ admission: () => [intruder] });
    const sendRaced = caller(raced);
    await sendRaced(`POST ${maps}`, { metadata: { name: 'overtaken' }, data: { a: '1' } });
    api = sendRaced;
    const { status, json } = await sendRaced(`PUT ${maps}/overtaken`, { metadata: { name: 'overtaken' }, data: { a: '2' } });
    assert.equal(api, undefined);
    assert.deepEqual([status, json.data, json.metadata.annotations], [200, { a: '2' }, undefined]);
    await stopRaced();
  });

  it('stores the same form whoever writes it', async () => {
    const client = createLoopbackClient(server.inProcess, { name: 'system:apiserver', groups: ['system:masters'] });
    const path = '/apis/apps/v1/namespaces/default/replicasets';
    const labels = { app: 'form' };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: 0.5 } } }] },
    };
    const sent = await send(`POST ${path}`, {
      metadata: { name: 'form' },
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    });
    const live = await client.get(ReplicaSet, { namespace: 'default', name: 'form' });
    const status = { replicas: 0, availableReplicas: 0, readyReplicas: 0, conditions: [] };
    const written = await client.update(ReplicaSet, { ...live, status }, { subresource: 'status' });
    assert.equal(written.metadata.resourceVersion, sent.json.metadata.resourceVersion);
    assert.deepEqual(written.status, { replicas: 0 });
    await assert.rejects(
      client.update(ReplicaSet, { ...live, status: { replicas: 'many' as unknown as number } }, { subresource: 'status' }),
      /cannot unmarshal string into Go struct field ReplicaSetStatus.status.replicas of type int32/,
    );
  });

  it('asks for patience when too many writes wait for the disk', async () => {
    const store = new MemoryStore();
    await store.open();
    const { server: busyServer, stop: stopBusy } = await startTestApi({ overrides: { store } });
    store.write = () => Promise.reject(new StoreBusy());
    const refused = await caller(busyServer)(`POST ${maps}`, { metadata: { name: 'late' } });
    assert.equal(refused.status, 429);
    assert.equal(refused.json.reason, 'TooManyRequests');
    assert.equal(refused.json.details.retryAfterSeconds, 1);
    await stopBusy();
    await store.close();
  });

  it('keeps what the server owns of the metadata', async () => {
    const dying = { deletionTimestamp: '2001-01-01T00:00:00Z', deletionGracePeriodSeconds: 7 };
    const { json } = await send(`POST ${maps}`, {
      metadata: { name: 'owned', uid: 'mine', generation: 7, selfLink: '/x', ...dying },
    });
    assert.notEqual(json.metadata.uid, 'mine');
    for (const field of ['selfLink', ...Object.keys(dying)]) assert.equal(json.metadata[field], undefined, field);
    const fake = { creationTimestamp: '2001-01-01T00:00:00Z', generation: 9, selfLink: '/x' };
    const patched = await send(`PATCH ${maps}/owned`, { metadata: fake }, mergePatch);
    assert.deepEqual(patched.json.metadata, json.metadata);
    for (const field of [{ deletionTimestamp: '2001-01-01T00:00:00Z' }, { deletionGracePeriodSeconds: 5 }, { uid: 'other' }]) {
      const refused = await send(`PATCH ${maps}/owned`, { metadata: field }, mergePatch);
      const [name] = Object.keys(field);
      assert.deepEqual([refused.status, refused.json.details.causes[0].field], [422, `metadata.${name}`]);
    }
  });

  it('keeps an object with finalizers until the last is gone', async () => {
    await send(`POST ${maps}`, { metadata: { name: 'held', finalizers: ['x.io/a', 'x.io/b'] } });
    const marked = await send(`DELETE ${maps}/held`);
    assert.equal(marked.json.kind, 'ConfigMap');
    assert.equal(marked.json.metadata.deletionGracePeriodSeconds, 0);
    const more = await send(`PATCH ${maps}/held`, { metadata: { finalizers: ['x.io/a', 'x.io/c'] } }, mergePatch);
    assert.equal(more.status, 422);
    assert.equal((await send(`PATCH ${maps}/held`, { metadata: { finalizers: ['x.io/b'] } }, mergePatch)).status, 200);
    assert.equal((await send(`GET ${maps}/held`)).status, 200);
    assert.equal((await send(`PATCH ${maps}/held`, { metadata: { finalizers: null } }, mergePatch)).status, 200);
    assert.equal((await send(`GET ${maps}/held`)).status, 404);
  });

  it('adds the finalizers of the propagation policy', async () => {
    const finalizersOf = async (query: string, kind = maps) => {
      const { json } = await send(`DELETE ${kind}/policy${query}`);
      return json.metadata?.finalizers;
    };
    await send(`POST ${maps}`, { metadata: { name: 'policy', finalizers: ['x.io/a'] } });
    assert.deepEqual(await finalizersOf('?propagationPolicy=Foreground'), ['x.io/a', 'foregroundDeletion']);
    assert.deepEqual(await finalizersOf('?propagationPolicy=Orphan'), ['x.io/a', 'orphan']);
    assert.deepEqual(await finalizersOf('?propagationPolicy=Background'), ['x.io/a']);
    const controllers = '/api/v1/namespaces/default/replicationcontrollers';
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await send(`POST ${controllers}`, { metadata: { name: 'policy' }, spec: { selector: { a: 'b' }, template } });
    assert.deepEqual(await finalizersOf('', controllers), ['orphan']);
  });

  it('makes names that nobody has', async () => {
    const made = await Promise.all(Array.from({ length: 30 }, () => send(`POST ${maps}`, { metadata: { generateName: 'g-' } })));
    assert.equal(new Set(made.map((a) => a.json.metadata.name)).size, 30);
    for (const { json } of made) assert.match(json.metadata.name, /^g-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const { json } = await send(`POST ${maps}`, { metadata: { generateName: 'x'.repeat(70) } });
    assert.equal(json.metadata.name.length, 63);
  });

  it('gives up making names when all are taken', async () => {
    const store = new MemoryStore();
    await store.open();
    const { server: full, stop: stopFull } = await startTestApi({ overrides: { store } });
    let attempts = 0;
    store.write = ({ key }) => {
      if (key.includes('/configmaps/')) attempts++;
      return Promise.reject(new RevisionConflict(key, undefined));
    };
    const { status, json, headers } = await caller(full)(`POST ${maps}`, { metadata: { generateName: 'g-' } });
    assert.deepEqual([attempts, status, json.reason, headers['retry-after']], [8, 409, 'AlreadyExists', '1']);
    assert.match(
      json.message,
      /^configmaps "g-\w{5}" already exists, the server was not able to generate a unique name for the object$/,
    );
    await stopFull();
    await store.close();
  });

  it('makes nothing anew of what the client knows as a certain object; a version alone is none', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const put = (metadata: object) => send(`PUT ${leases}/l`, { metadata: { name: 'l', ...metadata } });
    const other = await put({ uid: 'u' });
    assert.deepEqual([other.status, other.json.reason], [409, 'Conflict']);
    assert.match(other.json.message, /Precondition failed: UID in precondition: u, UID in object meta: $/);
    assert.equal((await send(`GET ${leases}/l`)).status, 404);
    assert.equal((await put({ resourceVersion: '7' })).status, 201);
  });

  it('refuses a namespace for what has none', async () => {
    const { status, json } = await send('POST /api/v1/namespaces', { metadata: { name: 'x', namespace: 'default' } });
    assert.deepEqual([status, json.message], [400, 'namespace is not allowed on this type']);
  });

  it('refuses bodies that are too large', async () => {
    const answer = await send(`POST ${maps}`, { metadata: { name: 'big' }, data: { a: 'x'.repeat(3 * 1024 * 1024) } });
    assert.equal(answer.status, 413);
  });

  it('deletes a collection by selector', async () => {
    for (const i of [1, 2, 3]) await send(`POST ${maps}`, { metadata: { name: `c${i}`, labels: { odd: String(i % 2) } } });
    const answer = await send(`DELETE ${maps}?labelSelector=odd%3D1`);
    assert.deepEqual(
      answer.json.items.map((i: { metadata: { name: string } }) => i.metadata.name),
      ['c1', 'c3'],
    );
    const left = await send(`GET ${maps}?labelSelector=odd`);
    assert.equal(left.json.items.length, 1);
  });

  it('serves two versions of one object', async () => {
    const path = (v: string) => `/apis/autoscaling/${v}/namespaces/default/horizontalpodautoscalers`;
    const spec = { scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, maxReplicas: 3 };
    const v1 = await send(`POST ${path('v1')}`, {
      metadata: { name: 'h' },
      spec: { ...spec, targetCPUUtilizationPercentage: 55 },
    });
    assert.equal(v1.json.apiVersion, 'autoscaling/v1');
    const v2 = await send(`GET ${path('v2')}/h`);
    assert.equal(v2.json.spec.metrics[0].resource.target.averageUtilization, 55);
    const listed = await send(`GET ${path('v1')}`);
    assert.equal(listed.json.items[0].spec.targetCPUUtilizationPercentage, 55);
    assert.equal(
      (await send(`PATCH ${path('v1')}/h`, { spec: { maxReplicas: 9 } }, mergePatch)).json.apiVersion,
      'autoscaling/v1',
    );
    assert.equal((await send(`GET ${path('v2')}/h`)).json.spec.maxReplicas, 9);
  });
});
