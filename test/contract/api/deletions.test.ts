import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const spec = { containers: [{ name: 'c', image: 'i' }], nodeName: 'n' };

describe('deletions', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    ({ server, stop } = await startTestApi({ clock }));
    send = caller(server);
  });
  after(() => stop());

  it('of pods can only be hastened', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'p' }, spec });
    const remaining = async (query: string) => {
      const { metadata } = (await send(`DELETE ${pods}/p${query}`)).json;
      const leftMs = Date.parse(metadata.deletionTimestamp) - Math.floor(clock.now() / 1000) * 1000;
      return [metadata.deletionGracePeriodSeconds, leftMs / 1000, metadata.generation];
    };
    assert.deepEqual(await remaining(''), [30, 30, 2]);
    clock.advance(10_000);
    assert.deepEqual(await remaining('?gracePeriodSeconds=60'), [30, 20, 2]);
    assert.deepEqual(await remaining('?gracePeriodSeconds=25'), [25, 15, 2]);
    assert.deepEqual(await remaining('?gracePeriodSeconds=-7'), [1, 0, 2], 'less than none is one second, and that is over');
    assert.equal((await send(`DELETE ${pods}/p?gracePeriodSeconds=0`)).status, 200);
    assert.equal((await send(`GET ${pods}/p`)).status, 404);
  });

  it('with less than no time, as old clients ask for, take one second', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'negative' }, spec });
    await send(`DELETE ${pods}/negative`);
    const { metadata } = (await send(`DELETE ${pods}/negative`, { gracePeriodSeconds: -7 })).json;
    assert.equal(metadata.deletionGracePeriodSeconds, 1);
  });

  it('of the same collection by two clients are no mistake of either', async () => {
    const maps = '/api/v1/namespaces/kube-public/configmaps';
    for (let i = 0; i < 20; i++) await send(`POST ${maps}`, { metadata: { name: `m${i}` } });
    const both = await Promise.all([send(`DELETE ${maps}`), send(`DELETE ${maps}`)]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    );
  });

  it('of pods wait for their grace period when the last finalizer is gone', async () => {
    await send(`POST ${pods}`, { metadata: { name: 'held', finalizers: ['x.io/a'] }, spec });
    await send(`DELETE ${pods}/held`);
    const freed = (await send(`PATCH ${pods}/held`, { metadata: { finalizers: null } }, mergePatch)).json.metadata;
    assert.deepEqual([freed.finalizers, freed.deletionGracePeriodSeconds], [undefined, 30]);
    assert.equal((await send(`GET ${pods}/held`)).status, 200);
    await send(`DELETE ${pods}/held?gracePeriodSeconds=0`);
    assert.equal((await send(`GET ${pods}/held`)).status, 404);
  });

  it('hold to what the client thinks the object is', async () => {
    const { json } = await send(`POST ${maps}`, { metadata: { name: 'a' } });
    const { uid, resourceVersion } = json.metadata;
    const refused = async (preconditions: object) => {
      const answer = await send(`DELETE ${maps}/a`, { preconditions });
      return [answer.status, answer.json.reason];
    };
    assert.deepEqual(await refused({ uid: 'other' }), [409, 'Conflict']);
    assert.deepEqual(await refused({ uid, resourceVersion: '1' }), [409, 'Conflict']);
    await send(`PATCH ${maps}/a`, { data: { a: '1' } }, mergePatch);
    assert.deepEqual(await refused({ uid, resourceVersion }), [409, 'Conflict']);
    assert.equal((await send(`DELETE ${maps}/a`, { preconditions: { uid } })).status, 200);
  });

  it('hold to what the query says the object is, where there is no body', async () => {
    const { uid, resourceVersion } = (await send(`POST ${maps}`, { metadata: { name: 'known' } })).json.metadata;
    const remove = async (query: string, body?: object) => (await send(`DELETE ${maps}/known?${query}`, body)).status;
    assert.equal(await remove('uid=another'), 409);
    assert.equal(await remove(`uid=${uid}&resourceVersion=1`), 409);
    assert.equal((await send(`DELETE ${maps}?fieldSelector=metadata.name%3Dknown&resourceVersion=1`)).status, 409);
    assert.equal(await remove('gracePeriodSeconds='), 400);
    assert.equal(await remove(`uid=${uid}&resourceVersion=${resourceVersion}`), 200);
    await send(`POST ${maps}`, { metadata: { name: 'known' } });
    assert.equal(await remove('uid=another', {}), 200, 'a body says all');
  });

  it('leave the Pods of a Job behind unless the client says otherwise', async () => {
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    const template = { spec: { restartPolicy: 'Never', containers: spec.containers } };
    for (const name of ['kept', 'gone']) await send(`POST ${jobs}`, { metadata: { name }, spec: { template } });
    assert.deepEqual((await send(`DELETE ${jobs}/kept`)).json.metadata.finalizers, ['orphan']);
    assert.equal((await send(`DELETE ${jobs}/gone`, { propagationPolicy: 'Background' })).json.status, 'Success');
  });

  it('of collections take selectors, limits and options', async () => {
    const names = async (query: string) =>
      (await send(`GET ${maps}?labelSelector=d${query}`)).json.items.map((i: { metadata: { name: string } }) => i.metadata.name);
    for (const name of ['d1', 'd2', 'd3', 'd4', 'd5']) await send(`POST ${maps}`, { metadata: { name, labels: { d: '1' } } });
    await send(`DELETE ${maps}?labelSelector=d&dryRun=All`);
    assert.equal((await names('')).length, 5);
    const page = await send(`DELETE ${maps}?labelSelector=d&limit=2`);
    assert.ok(page.json.metadata.continue);
    assert.deepEqual(await names(''), ['d3', 'd4', 'd5']);
    await send(`DELETE ${maps}?labelSelector=d&fieldSelector=metadata.name%3Dd4`);
    assert.deepEqual(await names(''), ['d3', 'd5']);
    await send(`DELETE ${maps}?labelSelector=d`, { propagationPolicy: 'Foreground' });
    const left = (await send(`GET ${maps}?labelSelector=d`)).json.items;
    assert.deepEqual(
      left.map((i: { metadata: { finalizers: string[] } }) => i.metadata.finalizers),
      [['foregroundDeletion'], ['foregroundDeletion']],
    );
    assert.equal((await send(`DELETE ${maps}?labelSelector=!!`)).status, 400);
    assert.equal((await send(`DELETE ${maps}?propagationPolicy=Maybe`)).status, 422);
  });

  it('of namespaces end when the last finalizer of the spec is taken away', async () => {
    const space = '/api/v1/namespaces/fin';
    await send('POST /api/v1/namespaces', { metadata: { name: 'fin' }, spec: { finalizers: ['x.io/y'] } });
    assert.equal((await send(`DELETE ${space}`)).json.status.phase, 'Terminating');
    const without = { metadata: { name: 'fin' }, spec: { finalizers: ['x.io/y'] } };
    assert.equal((await send(`PUT ${space}`, without)).status, 200);
    assert.deepEqual((await send(`GET ${space}`)).json.spec.finalizers, ['x.io/y', 'kubernetes']);
    assert.deepEqual((await send(`PUT ${space}/finalize`, without)).json.spec.finalizers, ['x.io/y']);
    await send(`PUT ${space}/finalize`, { metadata: { name: 'fin' }, spec: {} });
    assert.equal((await send(`GET ${space}`)).status, 404);
  });
});
