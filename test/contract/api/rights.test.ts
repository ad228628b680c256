import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startGuardedApi } from '../../support/guarded-api.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';

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
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }];
    await send(`POST ${roles}/rolebindings`, { metadata: { name: 'b' }, roleRef, subjects });
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

  it('that are missing cost no place among the requests worked on', async () => {
    for (let i = 0; i < 1000; i++) await asBob(`GET ${maps}`);
    const { body } = await send('GET /metrics');
    assert.match(body, /^apiserver_current_inflight_requests\{request_kind="readOnly"\} 1$/m, 'the one that asks');
    assert.equal((await asBob(`GET ${maps}/one`)).status, 200);
  });
});
