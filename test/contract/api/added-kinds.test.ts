import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { defineKind } from '../../../src/api/define-kind.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

/** A kind as a custom resource definition makes it: no type of its own, and no update without a version. */
const Widget = defineKind({
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
  type: '',
  allowUnconditionalUpdate: false,
});
const widgets = '/apis/example.com/v1/namespaces/default/widgets';

describe('kinds that are added while the server runs', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi());
    send = caller(server);
  });
  after(() => stop());

  it('are served and discovered from then on, until they are taken away', async () => {
    const accept = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
    const groups = async () => {
      const { items } = (await send('GET /apis', undefined, accept)).json;
      return items.map((item: { metadata: { name: string } }) => item.metadata.name);
    };
    const seen = async () => [(await groups()).includes('example.com'), (await send(`GET ${widgets}`)).status];
    assert.deepEqual(await seen(), [false, 404]);
    server.kinds.replace([], [Widget]);
    assert.deepEqual(await seen(), [true, 200]);
    server.kinds.replace([Widget], []);
    assert.deepEqual(await seen(), [false, 404]);
  });

  it('keep kind and apiVersion in lists, and know no strategic merge', async () => {
    server.kinds.replace([], [Widget]);
    await send(`POST ${widgets}`, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { a: 1 } });
    const [item] = (await send(`GET ${widgets}`)).json.items;
    assert.deepEqual([item.kind, item.apiVersion, item.spec.a], ['Widget', 'example.com/v1', 1]);
    assert.equal((await send(`PATCH ${widgets}/w`, { spec: { a: 2 } }, mergePatch)).json.spec.a, 2);
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    const refused = await send(`PATCH ${widgets}/w`, { spec: { a: 3 } }, strategic);
    const types = ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'].map((type) => `application/${type}`);
    const message = `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`;
    assert.deepEqual([refused.status, refused.json.reason, refused.json.message], [415, 'UnsupportedMediaType', message]);
    const bytes = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const envelope = Buffer.from('k8s\0\x0a\x18\x0a\x0eexample.com/v1\x12\x06Widget', 'latin1');
    assert.match((await send(`POST ${widgets}`, envelope, bytes)).json.message, /^Widget can only be sent as JSON or YAML$/);
    const blind = await send(`PUT ${widgets}/w`, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' } });
    assert.deepEqual([blind.status, blind.json.details.causes[0].field], [422, 'metadata.resourceVersion']);
  });
});
