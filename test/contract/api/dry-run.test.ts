import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const inDefault = (plural: string, group = 'api/v1') => `/${group}/namespaces/default/${plural}`;
const maps = inDefault('configmaps');
const pods = inDefault('pods');
const deployments = inDefault('deployments', 'apis/apps/v1');
const apply = { 'content-type': 'application/apply-patch+yaml' };
const containers = [{ name: 'c', image: 'i' }];

describe('dry runs', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi());
    send = caller(server);
    await send(`POST ${maps}`, { metadata: { name: 'a' }, data: { a: '1' } });
    await send(`POST ${pods}`, { metadata: { name: 'p' }, spec: { containers } });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers } };
    await send(`POST ${deployments}`, { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } });
  });
  after(() => stop());

  const named = (name: string) => ({ metadata: { name } });
  const requests: [request: string, body: unknown, headers: Record<string, string> | undefined, status: number][] = [
    [`POST ${maps}`, named('new'), undefined, 201],
    [`PATCH ${maps}/new`, { apiVersion: 'v1', kind: 'ConfigMap', ...named('new') }, apply, 201],
    [`PUT ${inDefault('leases', 'apis/coordination.k8s.io/v1')}/new`, named('new'), undefined, 201],
    [`PUT ${maps}/a`, { ...named('a'), data: { a: '2' } }, undefined, 200],
    [`PATCH ${maps}/a`, { data: { a: '3' } }, mergePatch, 200],
    [`DELETE ${maps}/a`, undefined, undefined, 200],
    [`DELETE ${maps}`, undefined, undefined, 200],
    [`PATCH ${deployments}/d/scale`, { spec: { replicas: 9 } }, mergePatch, 200],
    [`PATCH ${deployments}/d/status`, { status: { replicas: 9 } }, mergePatch, 200],
    [`POST ${pods}/p/binding`, { ...named('p'), target: { kind: 'Node', name: 'n' } }, undefined, 201],
    [`POST ${pods}/p/eviction`, named('p'), undefined, 201],
    [`DELETE ${pods}/p`, undefined, undefined, 200],
    ['PUT /api/v1/namespaces/default/finalize', { ...named('default'), spec: {} }, undefined, 200],
  ];
  for (const [request, body, headers, status] of requests) {
    it(`${request} changes nothing`, async () => {
      const state = async () => {
        const paths = [`${maps}/a`, `${maps}/new`, `${pods}/p`, `${deployments}/d`, '/api/v1/namespaces/default'];
        return Promise.all(paths.map(async (path) => (await send(`GET ${path}`)).body));
      };
      const before = await state();
      const answer = await send(`${request}?dryRun=All${headers === apply ? '&fieldManager=m' : ''}`, body, headers);
      assert.equal(answer.status, status, answer.body);
      assert.deepEqual(await state(), before);
    });
  }

  it('can be asked for in the body of an eviction or a deletion', async () => {
    await send(`POST ${pods}/p/eviction`, { ...named('p'), deleteOptions: { dryRun: ['All'] } });
    await send(`DELETE ${pods}/p`, { dryRun: ['All'] });
    await send(`DELETE ${pods}`, { dryRun: ['All'] });
    assert.equal((await send(`GET ${pods}/p`)).status, 200);
  });

  it('leave an object whose last finalizer would go', async () => {
    await send(`POST ${maps}`, { metadata: { name: 'held', finalizers: ['x.io/a'] } });
    await send(`DELETE ${maps}/held`);
    const freed = await send(`PATCH ${maps}/held?dryRun=All`, { metadata: { finalizers: null } }, mergePatch);
    assert.deepEqual([freed.status, freed.json.metadata.finalizers], [200, undefined]);
    assert.deepEqual((await send(`GET ${maps}/held`)).json.metadata.finalizers, ['x.io/a']);
  });

  it('give new objects a uid and no version', async () => {
    const { metadata } = (await send(`POST ${maps}?dryRun=All`, { metadata: { generateName: 'g-' } })).json;
    assert.ok(metadata.uid && metadata.name.startsWith('g-'));
    assert.equal(metadata.resourceVersion, undefined);
  });

  it('take no address and no port', async () => {
    const services = inDefault('services');
    const port = { port: 80, nodePort: 30123 };
    const body = (name: string) => ({ ...named(name), spec: { type: 'NodePort', clusterIP: '10.43.9.9', ports: [port] } });
    assert.equal((await send(`POST ${services}?dryRun=All`, body('tried'))).status, 201);
    assert.equal((await send(`POST ${services}`, body('real'))).status, 201);
  });
});
