import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { type Answered, caller, eventsOf, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';

describe('lists and watches', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    ({ server, stop } = await startTestApi({ clock }));
    send = caller(server);
  });
  after(() => stop());

  /** Watches from now on until `act` is done and the time-out has passed. */
  async function watched(query: string, act: () => Promise<unknown>) {
    const { json } = await send(`GET ${maps}`);
    const from = json.metadata.resourceVersion;
    const answer = send(`GET ${maps}?watch=1&timeoutSeconds=5&resourceVersion=${from}${query}`);
    await act();
    clock.advance(6000);
    return eventsOf(await answer);
  }

  it('tells of objects that start and stop to match', async () => {
    const labelled = (team: string | null) => send(`PATCH ${maps}/moves`, { metadata: { labels: { team } } }, mergePatch);
    const events = await watched('&labelSelector=team%3Da', async () => {
      await send(`POST ${maps}`, { metadata: { name: 'moves' } });
      await labelled('a');
      await send(`PATCH ${maps}/moves`, { data: { x: '1' } }, mergePatch);
      await labelled('b');
      await labelled('a');
      await send(`DELETE ${maps}/moves`);
    });
    assert.deepEqual(
      events.map((e) => e.type),
      ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED'],
    );
    const versions = events.map((e) => e.version);
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b),
    );
    assert.equal(new Set(versions).size, versions.length, 'each event has the version of its own change');
  });

  it('serves the watch paths of old', async () => {
    const { json } = await send(`GET ${maps}`);
    const from = json.metadata.resourceVersion;
    const paths = [
      'configmaps',
      'namespaces/default/configmaps',
      'namespaces/default/configmaps/old-one',
      'namespaces/other/configmaps',
    ];
    const answers = paths.map((path) => send(`GET /api/v1/watch/${path}?timeoutSeconds=5&resourceVersion=${from}`));
    for (const name of ['old-one', 'old-two']) await send(`POST ${maps}`, { metadata: { name } });
    clock.advance(6000);
    const seen = (await Promise.all(answers)).map((answer) => eventsOf(answer).map((e) => e.name));
    assert.deepEqual(seen, [['old-one', 'old-two'], ['old-one', 'old-two'], ['old-one'], []]);
    const single = send(
      'GET /api/v1/watch/namespaces/default/configmaps/old-one?fieldSelector=metadata.name%3Dold-one&timeoutSeconds=5',
    );
    const odd = send('GET /api/v1/watch/namespaces/default/configmaps/old-one%2Cmetadata.name!%3Dx?timeoutSeconds=5');
    await send('GET /version');
    clock.advance(6000);
    assert.deepEqual(
      eventsOf(await single).map((e) => e.name),
      ['old-one'],
    );
    assert.deepEqual(eventsOf(await odd), [], 'a name is no selector');
    assert.equal((await send('GET /api/v1/watch')).status, 404);
    assert.equal((await send('GET /api/v1/watch/things')).status, 404);
  });

  it('shows one name only, by field selector', async () => {
    const events = await watched('&fieldSelector=metadata.name%3Done', async () => {
      for (const name of ['one', 'one-more', 'another']) await send(`POST ${maps}`, { metadata: { name } });
    });
    assert.deepEqual(
      events.map((e) => e.name),
      ['one'],
    );
  });

  it('sends bookmarks when something changed, and none when nothing did', async () => {
    const { json } = await send(`GET ${maps}`);
    const from = json.metadata.resourceVersion;
    const answer = send(
      `GET ${maps}?watch=1&allowWatchBookmarks=true&timeoutSeconds=200&resourceVersion=${from}&labelSelector=none`,
    );
    await send(`POST ${maps}`, { metadata: { name: 'unseen' } });
    clock.advance(61_000);
    clock.advance(61_000);
    clock.advance(100_000);
    const events = eventsOf(await answer);
    assert.deepEqual(
      events.map((e) => e.type),
      ['BOOKMARK', 'BOOKMARK'],
      'one for the change, one before the end',
    );
    assert.equal(events[0]!.version, Number(from) + 1);
  });

  it('shows bare metadata and tables as well', async () => {
    const accept = (as: string) => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io` });
    const watch = async (as: string) => {
      const answer = send(
        `GET ${maps}?watch=1&timeoutSeconds=1&resourceVersion=0&fieldSelector=metadata.name%3Done`,
        undefined,
        accept(as),
      );
      // The watch has started when a later request is answered.
      await send('GET /version');
      clock.advance(2000);
      return JSON.parse((await answer).body.split('\n')[0]!);
    };
    assert.equal((await watch('PartialObjectMetadata')).object.kind, 'PartialObjectMetadata');
    const { object } = await watch('Table');
    assert.equal(object.rows[0].cells[0], 'one');
    assert.ok(object.columnDefinitions.length > 0);
  });

  it('pages through one state while others write', async () => {
    const paged = '/api/v1/namespaces/kube-public/configmaps';
    for (const name of ['a', 'c', 'e']) await send(`POST ${paged}`, { metadata: { name, labels: { l: 'x' } } });
    const first = await send(`GET ${paged}?limit=1`);
    assert.equal(first.json.metadata.remainingItemCount, 2);
    await send(`POST ${paged}`, { metadata: { name: 'b' } });
    await send(`DELETE ${paged}/e`);
    const token = encodeURIComponent(first.json.metadata.continue);
    const rest = await send(`GET ${paged}?limit=5&continue=${token}`);
    assert.deepEqual(
      rest.json.items.map((i: { metadata: { name: string } }) => i.metadata.name),
      ['c', 'e'],
    );
    assert.equal(rest.json.metadata.resourceVersion, first.json.metadata.resourceVersion);
    assert.equal((await send(`GET ${paged}?limit=1&resourceVersion=5&continue=${token}`)).status, 400);
    const selected = await send(`GET ${paged}?limit=1&labelSelector=l%3Dx`);
    assert.ok(selected.json.metadata.continue);
    assert.equal(selected.json.metadata.remainingItemCount, undefined);
  });

  it('shows the moment of the first page for five minutes, and then says how to go on without it', async () => {
    const paged = '/api/v1/namespaces/default/secrets';
    for (const name of ['a', 'b', 'c', 'd']) await send(`POST ${paged}`, { metadata: { name } });
    const next = (page: Answered): Promise<Answered> =>
      send(`GET ${paged}?limit=1&continue=${encodeURIComponent(page.json.metadata.continue)}`);
    const first = await send(`GET ${paged}?limit=1`);
    clock.advance(3 * 60_000);
    const second = await next(first);
    assert.equal(second.status, 200);
    clock.advance(3 * 60_000);
    const expired = await next(second);
    assert.deepEqual([expired.status, expired.json.reason], [410, 'Expired']);
    const third = await next(expired);
    assert.deepEqual([third.status, third.json.items[0].metadata.name], [200, 'c']);
    assert.equal((await next(third)).json.items[0].metadata.name, 'd');
  });

  it('says 410 for a past it does not know any more', async () => {
    const { json } = await send(`GET ${maps}?limit=1`);
    const old = json.metadata.resourceVersion;
    const token = encodeURIComponent(json.metadata.continue);
    const writes = Array.from({ length: 4200 }, (_, i) =>
      server.inProcess.create(systemMaster, ConfigMap, { metadata: { name: `n${i}`, namespace: 'kube-system' } }),
    );
    await Promise.all(writes);
    const watch = await send(`GET ${maps}?watch=1&resourceVersion=${old}`);
    const { type, object } = JSON.parse(watch.body);
    assert.deepEqual([watch.status, type, object.code, object.reason], [200, 'ERROR', 410, 'Expired']);
    assert.match(object.message, new RegExp(`^too old resource version: ${old} \\(\\d+\\)$`));
    const page = await send(`GET ${maps}?limit=1&continue=${token}`);
    assert.deepEqual([page.status, page.json.reason], [410, 'Expired']);
    const next = await send(`GET ${maps}?continue=${encodeURIComponent(page.json.metadata.continue)}`);
    assert.equal(next.status, 200);
    assert.equal((await send(`GET ${maps}?resourceVersion=${old}&resourceVersionMatch=Exact`)).status, 410);
  });
});

describe('callers in process', () => {
  it('share frozen objects and see the same events', async () => {
    const { server, stop } = await startTestApi();
    const api = server.inProcess;
    const created = await api.create(systemMaster, ConfigMap, {
      metadata: { name: 'x', namespace: 'default' },
      data: { a: '1' },
    });
    assert.ok(Object.isFrozen(created.data));
    assert.equal(await api.get(systemMaster, ConfigMap, { namespace: 'default', name: 'x' }), created);
    const { metadata, items } = await api.list(systemMaster, ConfigMap, { namespace: 'default' });
    assert.equal(items[0], created);
    const seen: string[] = [];
    const end = api.watch(
      systemMaster,
      ConfigMap,
      { resourceVersion: metadata.resourceVersion },
      {
        onEvent: (type, object) => seen.push(`${type} ${object.metadata.name} ${object.data?.['a'] ?? ''}`),
        onEnd: (error) => seen.push(`end ${error?.message}`),
      },
    );
    await api.update(systemMaster, ConfigMap, { ...created, data: { a: '2' } }, undefined);
    await api.delete(systemMaster, ConfigMap, { namespace: 'default', name: 'x' }, {});
    end();
    assert.deepEqual(seen, ['MODIFIED x 2', 'DELETED x 2']);
    await stop();
  });

  it('may do only what they are allowed', async () => {
    const { server, stop } = await startTestApi();
    const bob = { name: 'bob', groups: ['system:authenticated'] };
    await assert.rejects(server.inProcess.list(bob, ConfigMap, { namespace: 'default' }), {
      message: 'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"',
    });
    await stop();
  });
});
