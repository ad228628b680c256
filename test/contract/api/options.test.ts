import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const apply = { 'content-type': 'application/apply-patch+yaml' };

describe('options of requests', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    ({ server, stop } = await startTestApi({ clock }));
    send = caller(server);
    await send(`POST ${maps}`, { metadata: { name: 'one' } });
  });
  after(() => stop());

  const forbidden = (why: string) => `resourceVersionMatch: Forbidden: ${why}`;
  const unless = forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided');
  const withContinue = forbidden('resourceVersionMatch is forbidden when continue is provided');
  const needsMatch = forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  const unsupported = 'resourceVersionMatch: Unsupported value: "Foo": supported values: ';
  const lists: [query: string, message: string][] = [
    ['resourceVersionMatch=Exact', unless],
    ['resourceVersionMatch=Exact&continue=x', `[${unless}, ${withContinue}]`],
    ['resourceVersion=1&resourceVersionMatch=Foo', `${unsupported}"Exact", "NotOlderThan", ""`],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    ],
    ['sendInitialEvents=true', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
    ['watch=1&sendInitialEvents=true', needsMatch],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=Foo', `[${needsMatch}, ${unsupported}"NotOlderThan"]`],
    [
      'watch=1&resourceVersionMatch=NotOlderThan',
      forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    ],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x', withContinue],
    ['watch=1&continue=x', withContinue],
    ['watch=1&resourceVersion=0&continue=x', withContinue],
  ];
  for (const [query, message] of lists) {
    it(`refuses ?${query}`, async () => {
      const { status, json } = await send(`GET ${maps}?${query}`);
      assert.equal(status, 422);
      assert.equal(json.message, `ListOptions.meta.k8s.io "" is invalid: ${message}`);
      assert.equal(json.details.causes.length, message.startsWith('[') ? 2 : 1);
    });
  }

  it('reads numbers and words for no as Go does', async () => {
    const list = async (query: string) => {
      const { status, json } = await send(`GET ${maps}?${query}`);
      return status === 200 ? json.items.length : `${status} ${json.message}`;
    };
    assert.equal(await list('limit=9223372036854775807'), 1);
    assert.equal(await list('limit=-5'), 1);
    assert.equal(await list('watch=False'), 1);
    const parsing = 'strconv.ParseInt: parsing';
    assert.equal(await list('limit=9223372036854775808'), `400 ${parsing} "9223372036854775808": value out of range`);
    for (const name of ['limit', 'timeoutSeconds', 'watch=1&limit']) {
      assert.equal(await list(`${name}=1.5`), `400 ${parsing} "1.5": invalid syntax`);
      assert.equal(await list(`${name}=`), `400 ${parsing} "": invalid syntax`);
    }
    assert.match(String(await list(`resourceVersion=${2n ** 64n}`)), /^400 .*strconv\.ParseUint: .*: value out of range$/);
  });

  it('shows the very version asked for to who asks for a page of it', async () => {
    const paged = '/api/v1/namespaces/kube-public/configmaps';
    const { json } = await send(`POST ${paged}`, { metadata: { name: 'early' } });
    const { resourceVersion } = json.metadata;
    await send(`POST ${paged}`, { metadata: { name: 'later' } });
    const list = async (query: string) => {
      const { items, metadata } = (await send(`GET ${paged}?${query}`)).json;
      const names = items.map((item: { metadata: { name: string } }) => item.metadata.name);
      return [names.join(), metadata.resourceVersion === resourceVersion];
    };
    assert.deepEqual(await list(`resourceVersion=${resourceVersion}&limit=10`), ['early', true]);
    assert.deepEqual(await list(`resourceVersion=${resourceVersion}`), ['early,later', false]);
    assert.deepEqual(await list(`resourceVersion=${resourceVersion}&limit=10&resourceVersionMatch=NotOlderThan`), [
      'early,later',
      false,
    ]);
  });

  it('goes on only where a page can have ended', async () => {
    const going = (change: object) => {
      const token = { v: 'meta.k8s.io/v1', rv: 1, start: '/one\0', ...change };
      return send(`GET ${maps}?limit=1&continue=${Buffer.from(JSON.stringify(token)).toString('base64url')}`);
    };
    const why = 'invalid continue token: continue key is not valid:';
    for (const start of ['../one', 'a/../../one', '/./one', '//one']) {
      const { status, json } = await going({ start });
      assert.deepEqual([status, json.message], [400, `${why} ${start}`]);
    }
    assert.equal((await going({ start: '' })).json.message, `${why} encoded start key empty (version meta.k8s.io/v1)`);
    const future = going({ rv: 99_999 });
    await send('GET /version');
    clock.advance(4000);
    assert.equal((await future).status, 504);
  });

  it('lists one name only where the other selectors match as well', async () => {
    const count = async (query: string) =>
      (await send(`GET ${maps}?fieldSelector=metadata.name%3Done${query}`)).json.items.length;
    assert.equal(await count(''), 1);
    assert.equal(await count('&labelSelector=team'), 0);
    assert.equal(await count(',metadata.namespace%3Dother'), 0);
  });

  it('refuses to include what it does not know into tables', async () => {
    const message = `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`;
    for (const path of [maps, `${maps}/one`, `${maps}?watch=1&x=1`]) {
      const { status, json } = await send(`GET ${path}${path.includes('?') ? '&' : '?'}includeObject=All`, undefined, table);
      assert.deepEqual([status, json.message], [400, message]);
    }
  });

  it('refuses names of managers that cannot be printed', async () => {
    const { status, json } = await send(`POST ${maps}?fieldManager=%C3%A4%07`, { metadata: { name: 'x' } });
    assert.equal(status, 422);
    assert.match(json.message, /fieldManager: Invalid value: "ä\\a": invalid character U\+0007 \(at position 2\)$/);
  });

  it('cuts no YAML into events', async () => {
    const { status, body } = await send(`GET ${maps}?watch=1`, undefined, { accept: 'application/yaml' });
    assert.equal(status, 406);
    assert.match(body, /^reason: NotAcceptable$/m);
  });

  it('does not start with a state older than asked for', async () => {
    const answer = send(`GET ${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999`);
    await send('GET /version');
    clock.advance(4000);
    const { status, json } = await answer;
    assert.deepEqual([status, json.details.causes[0].reason], [504, 'ResourceVersionTooLarge']);
  });

  it('says when the start is over to whoever watches from the start with bookmarks', async () => {
    const answer = send(`GET ${maps}?watch=1&allowWatchBookmarks=1&timeoutSeconds=1`);
    await send('GET /version');
    clock.advance(2000);
    const events = (await answer).body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map((e) => [e.type, e.object.metadata.annotations?.['k8s.io/initial-events-end']]),
      [
        ['ADDED', undefined],
        ['BOOKMARK', 'true'],
      ],
    );
  });

  it('says so in the row of a table, too', async () => {
    const answer = send(`GET ${maps}?watch=1&allowWatchBookmarks=1&timeoutSeconds=1`, undefined, table);
    await send('GET /version');
    clock.advance(2000);
    const [first, bookmark] = (await answer).body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).object);
    assert.equal(first.rows[0].cells.length, first.columnDefinitions.length);
    assert.deepEqual(bookmark.columnDefinitions, null);
    assert.equal(bookmark.rows.length, 1);
    assert.equal(bookmark.rows[0].object.metadata.annotations['k8s.io/initial-events-end'], 'true');
  });

  it('ends a watch that nobody limits after half an hour to an hour', async () => {
    let ended = false;
    const answer = send(`GET ${maps}?watch=1`).then(({ body }) => {
      ended = true;
      return body;
    });
    await send('GET /version');
    clock.advance(29 * 60_000);
    await send('GET /version');
    assert.equal(ended, false);
    clock.advance(32 * 60_000);
    assert.match(await answer, /^\{"type":"ADDED".*\n$/, 'and its end is no event');
  });

  it('reads an object that is not older than asked for', async () => {
    assert.equal((await send(`GET ${maps}/one?resourceVersion=0`)).status, 200);
    assert.equal((await send(`GET ${maps}/one?resourceVersion=x`)).status, 400);
    const answer = send(`GET ${maps}/one?resourceVersion=99999`);
    await send('GET /version');
    clock.advance(4000);
    const { status, headers, json } = await answer;
    assert.deepEqual([status, headers['retry-after'], json.details.retryAfterSeconds], [504, '1', 1]);
  });

  it('gives up after the time the client has, a minute at the most', async () => {
    const message = `Timeout: request did not complete within the allotted timeout (get ${maps}/one)`;
    const after = async (query: string, ms: number) => {
      const answer = send(`GET ${maps}/one?resourceVersion=99999&${query}`);
      await send('GET /version');
      clock.advance(ms);
      const { status, json } = await answer;
      return [status, json.message];
    };
    assert.deepEqual(await after('timeout=2s', 2_000), [504, message]);
    assert.match((await after('timeout=9s', 3_000)).join(), /^504,Timeout: Too large resource version/);
    const store = new MemoryStore();
    await store.open();
    const stuck = await startTestApi({ clock, overrides: { store } });
    const write = store.write.bind(store);
    store.write = (change) => (change.key.endsWith('/stuck') ? new Promise(() => {}) : write(change));
    for (const query of ['', '?timeout=0s', '?timeout=5m']) {
      const answer = caller(stuck.server)(`POST ${maps}${query}`, { metadata: { name: 'stuck' } });
      await send('GET /version');
      clock.advance(60_000);
      assert.equal((await answer).status, 504);
    }
    await stuck.stop();
  });

  it('says so in a row of its own when the watch is of tables', async () => {
    const answer = send(`GET ${maps}?watch=1&allowWatchBookmarks=1&timeoutSeconds=1`, undefined, table);
    await send('GET /version');
    clock.advance(2000);
    const [first, bookmark] = (await answer).body.split('\n', 2).map((line) => JSON.parse(line));
    assert.deepEqual([first.type, bookmark.type], ['ADDED', 'BOOKMARK']);
    const [row] = bookmark.object.rows;
    assert.equal(row.cells.length, first.object.columnDefinitions.length);
    assert.equal(row.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
    assert.equal(row.object.metadata.resourceVersion, bookmark.object.metadata.resourceVersion);
  });

  it('keeps an owner that is named twice once, and says so', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' };
    const ownerReferences = [owner, { ...owner, name: 'q' }, owner];
    const { json, headers } = await send(`POST ${maps}`, { metadata: { name: 'owned', ownerReferences } });
    assert.equal(json.metadata.ownerReferences.length, 2);
    assert.match(String(headers['warning']), /duplicate UID\(s\) observed: u"$/);
    const put = await send(`PUT ${maps}/owned`, { metadata: { name: 'owned', ownerReferences } });
    assert.deepEqual([put.status, put.json.metadata.ownerReferences.length], [200, 2], put.body);
  });
});

describe('creating by update', () => {
  it('needs the right to create', async () => {
    const { server, stop } = await startTestApi({
      overrides: {
        security: () => ({
          authenticate: () => ({ ...systemMaster, name: 'bob', groups: [] }),
          authorizer: { authorize: ({ verb }) => ({ verdict: verb === 'create' ? 'deny' : 'allow', reason: '' }) },
          admission: [],
          tokens: { issue: () => Promise.reject(new Error('this server makes no tokens')) },
          reviews: new Map(),
        }),
      },
    });
    const send = caller(server);
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
    const applied = await send(`PATCH ${maps}/x?fieldManager=m`, body, apply);
    assert.equal(applied.status, 403);
    assert.match(applied.json.message, /^configmaps "x" is forbidden: User "bob" cannot create resource "configmaps"/);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    assert.equal((await send(`PUT ${leases}/l`, { metadata: { name: 'l' } })).status, 403);
    await stop();
  });
});
