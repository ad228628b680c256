import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const count = 120;

describe('large lists', () => {
  const material = throwAwayTls();
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    // The tokens of pages tell the minute.
    const clock = { ...systemClock, now: () => 0 };
    ({ server, stop } = await startTestApi({ clock, overrides: { tls: material.tls, host: '127.0.0.1' } }));
    send = caller(server);
    for (let i = 0; i < count; i++) {
      const metadata = { name: `m${String(i).padStart(3, '0')}`, labels: { half: String(i % 2) } };
      await send(`POST ${maps}`, { metadata, data: { a: 'x'.repeat(4000) } });
    }
  });
  after(() => stop());

  it('are not written anew for people when they are long', async () => {
    const compact = await send(`GET ${maps}?resourceVersion=0`);
    const yaml = await send(`GET ${maps}?resourceVersion=0`, undefined, { accept: 'application/yaml' });
    assert.deepEqual([yaml.status, yaml.headers['content-type']], [200, 'application/yaml']);
    assert.equal(yaml.body, compact.body);
    const short = await send(`GET ${maps}?limit=3`, undefined, { accept: 'application/yaml' });
    assert.match(short.body, /^apiVersion: v1\nitems:\n- data:/);
    const one = { metadata: { name: 'long' }, data: { a: 'x'.repeat(100_000) } };
    const written = await send(`POST ${maps}?dryRun=All`, one, { accept: 'application/yaml' });
    assert.equal(JSON.parse(written.body).data.a.length, 100_000);
  });

  const overHttp1 = (path: string, headers = {}): Promise<{ length: number; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `https://127.0.0.1:${server.port}${path}`,
        { ca: material.caPem, agent: false, headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ length: Number(response.headers['content-length']), body: Buffer.concat(chunks) }));
        },
      );
      sent.on('error', reject).end();
    });

  const overHttp2 = (path: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: material.caPem });
      session.on('error', reject);
      const stream = session.request({ ':path': path });
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        session.close();
        resolve(Buffer.concat(chunks));
      });
    });

  /** The token of a page says when the list began, to the millisecond. */
  const comparable = (list: string): string => list.replace(/"continue":"[^"]+"/, '"continue":"…"');

  it('are the same over every connection, first and later', async () => {
    for (const path of [maps, `${maps}?labelSelector=half%3D1`, `${maps}?limit=100`]) {
      const body = comparable((await send(`GET ${path}`)).body);
      for (let attempt = 0; attempt < 2; attempt++) {
        const http1 = await overHttp1(path);
        assert.equal(comparable(http1.body.toString()), body);
        assert.equal(http1.length, http1.body.length);
        assert.equal(comparable((await overHttp2(path)).toString()), body);
        const packed = await overHttp1(path, { 'accept-encoding': 'gzip' });
        assert.equal(comparable(gunzipSync(packed.body).toString()), body);
      }
    }
  });

  it('show every change at once, and the version of the moment', async () => {
    const versionOf = async () => Number((await send(`GET ${maps}`)).json.metadata.resourceVersion);
    const before = await versionOf();
    await send(`POST /api/v1/namespaces/kube-public/configmaps`, { metadata: { name: 'elsewhere' } });
    assert.equal(await versionOf(), before + 1, 'a change elsewhere counts as well');
    await send(`PATCH ${maps}/m007`, { data: { a: 'changed' } }, mergePatch);
    const changed = (await send(`GET ${maps}`)).json;
    assert.equal(changed.metadata.resourceVersion, String(before + 2));
    assert.equal(changed.items[7].data.a, 'changed');
    await send(`DELETE ${maps}/m007`);
    assert.equal((await send(`GET ${maps}`)).json.items.length, count - 1);
    await send(`POST ${maps}`, { metadata: { name: 'm007' } });
    assert.equal((await send(`GET ${maps}`)).json.items.length, count);
  });

  it('are as the request asks, not as another one asked', async () => {
    const sizeOf = async (query: string) => (await send(`GET ${maps}${query}`)).json.items.length;
    for (let attempt = 0; attempt < 2; attempt++) {
      assert.equal(await sizeOf('?limit=50'), 50);
      assert.equal(await sizeOf('?limit=50&resourceVersion=0'), count);
      assert.equal(await sizeOf('?labelSelector=half%3D0'), count / 2);
      assert.equal(await sizeOf('?fieldSelector=metadata.name%21%3Dm000'), count - 1);
      assert.equal(await sizeOf(''), count);
    }
    const first = (await send(`GET ${maps}?limit=50`)).json;
    const next = (await send(`GET ${maps}?limit=50&continue=${encodeURIComponent(first.metadata.continue)}`)).json;
    assert.equal(next.items[0].metadata.name, 'm050');
  });
});
