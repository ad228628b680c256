import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startGuardedApi } from '../../support/guarded-api.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
const roleRef = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name });
const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }];

describe('rights to one name', () => {
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    const started = await startGuardedApi({ clock });
    stop = started.stop;
    send = caller(started.server);
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'], resourceNames: ['one'] }];
    await send(`POST ${roles}/roles`, { metadata: { name: 'r' }, rules });
    await send(`POST ${roles}/rolebindings`, { metadata: { name: 'b' }, roleRef: roleRef('r'), subjects });
    for (const name of ['one', 'two']) await send(`POST ${maps}`, { metadata: { name } });
  });
  after(() => stop());

  const asBob = (request: string) => send(request, undefined, { 'impersonate-user': 'bob' });

  it('are rights to lists and watches that select it', async () => {
    assert.equal((await asBob(`GET ${maps}/one`)).status, 200);
    const list = await asBob(`GET ${maps}?fieldSelector=metadata.name%3Done`);
    assert.deepEqual([list.status, list.json.items.length], [200, 1]);
    const watch = asBob(`GET ${maps}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D%3Done`);
    await send('GET /version');
    clock.advance(2000);
    assert.deepEqual((await watch).status, 200);
  });

  it('are none to others', async () => {
    const refused = [`GET ${maps}`, `GET ${maps}/two`, `GET ${maps}?fieldSelector=metadata.name%3Dtwo`, `DELETE ${maps}/one`];
    for (const request of refused) {
      const { status, headers } = await asBob(request);
      assert.deepEqual([status, headers['x-content-type-options']], [403, 'nosniff'], request);
    }
    assert.match((await asBob(`GET ${maps}?watch=1`)).json.message, /^configmaps is forbidden: User "bob" cannot watch /);
  });

  it('are none to all others by a selector in which the name stands where it demands nothing', async () => {
    const selectors = ['metadata.name!=x\\,metadata.name=one', 'metadata.namespace!=x\\,metadata.name=one', 'metadata.name!=one'];
    for (const selector of selectors) {
      const query = `fieldSelector=${encodeURIComponent(selector)}`;
      for (const request of [`GET ${maps}?${query}`, `GET ${maps}?watch=1&${query}`, `DELETE ${maps}?${query}`])
        assert.equal((await asBob(request)).status, 403, request);
    }
    const watchOfOne = '/api/v1/watch/namespaces/default/configmaps/one';
    for (const selector of ['metadata.name!=x', 'metadata.namespace=default', 'metadata.name=two']) {
      const { status, json } = await asBob(`GET ${watchOfOne}?fieldSelector=${encodeURIComponent(selector)}`);
      assert.deepEqual([status, json.message], [400, "fieldSelector metadata.name doesn't match requested name"], selector);
    }
  });

  it('are none to deletions of a collection that select it', async () => {
    const deletable = {
      metadata: { name: 'd' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['deletecollection'], resourceNames: ['one'] }],
    };
    await send(`POST ${roles}/roles`, deletable);
    await send(`POST ${roles}/rolebindings`, { metadata: { name: 'd' }, roleRef: roleRef('d'), subjects });
    assert.equal((await asBob(`DELETE ${maps}?fieldSelector=metadata.name%3Done`)).status, 403);
  });

  it('that are missing cost no place among the requests worked on', async () => {
    for (let i = 0; i < 1000; i++) await asBob(`GET ${maps}`);
    const { body } = await send('GET /metrics');
    assert.match(body, /^apiserver_current_inflight_requests\{request_kind="readOnly"\} 1$/m, 'the one that asks');
    assert.equal((await asBob(`GET ${maps}/one`)).status, 200);
  });
});
