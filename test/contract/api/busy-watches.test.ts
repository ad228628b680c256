import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

interface Event {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name: string; readonly resourceVersion: string } };
}

describe('busy watches', () => {
  const material = throwAwayTls();
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi({ overrides: { tls: material.tls, host: '127.0.0.1' } }));
    send = caller(server);
  });
  after(() => stop());

  const parse = (text: string): Event[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  it('get every event once and in order, over HTTP/1.1 and HTTP/2', async () => {
    const maps = '/api/v1/namespaces/default/configmaps';
    const { json } = await send(`GET ${maps}`);
    const path = `${maps}?watch=1&resourceVersion=${json.metadata.resourceVersion}`;
    const texts = ['', ''];
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: material.caPem });
    const stream = session.request({ ':path': path });
    stream.setEncoding('utf8').on('data', (text: string) => (texts[0] += text));
    const sent = request(`https://127.0.0.1:${server.port}${path}`, { ca: material.caPem, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => (texts[1] += text));
      response.on('error', () => {});
    });
    sent.on('error', () => {}).end();
    const names = Array.from({ length: 300 }, (_, i) => `m${i}`);
    for (const name of names)
      await server.inProcess.create(systemMaster, ConfigMap, { metadata: { name, namespace: 'default' } });
    for (const i of [0, 1]) {
      await eventually('all events', () => texts[i]!.includes('"m299"') && texts[i]!.endsWith('\n'));
      assert.deepEqual(
        parse(texts[i]!).map((event) => event.object.metadata.name),
        names,
      );
    }
    session.destroy();
    sent.destroy();
  });

  it('tell a client that takes its time for the start what changes meanwhile', async () => {
    const maps = '/api/v1/namespaces/kube-node-lease/configmaps';
    const create = (name: string, data: Record<string, string>) =>
      server.inProcess.create(systemMaster, ConfigMap, { metadata: { name, namespace: 'kube-node-lease' }, data });
    for (let i = 0; i < 20; i++) await create(`big${i}`, { a: ''.padEnd(900_000, 'x') });
    let text = '';
    const sent = request(
      `https://127.0.0.1:${server.port}${maps}?watch=1`,
      { ca: material.caPem, agent: false },
      async (response) => {
        await create('meanwhile', {});
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', () => {});
      },
    );
    sent.on('error', () => {}).end();
    await eventually('the change', () => text.includes('"meanwhile"'));
    sent.destroy();
  });

  it('end cleanly when their client does not read, after events without a gap', async () => {
    const maps = '/api/v1/namespaces/kube-public/configmaps';
    const big = await server.inProcess.create(systemMaster, ConfigMap, { metadata: { name: 'big', namespace: 'kube-public' } });
    const { json } = await send(`GET ${maps}`);
    const path = `${maps}?watch=1&resourceVersion=${json.metadata.resourceVersion}`;
    const url = `https://127.0.0.1:${server.port}${path}`;
    const ended = new Promise<string>((resolve, reject) => {
      const sent = request(url, { ca: material.caPem, agent: false }, async (response) => {
        for (let i = 0; i < 40; i++) {
          const data = { a: String(i).padEnd(900_000, 'x') };
          const { resourceVersion: _, ...metadata } = big.metadata;
          const next = { ...big, metadata: metadata as typeof big.metadata, data };
          await server.inProcess.update(systemMaster, ConfigMap, next, undefined);
          // The server writes in another turn than this client lets it read.
          await new Promise(setImmediate);
        }
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString()));
        response.on('error', reject);
      });
      sent.on('error', reject).end();
    });
    const events = parse(await ended);
    assert.ok(events.length > 5 && events.length < 40, `${events.length} of 40 events`);
    const first = Number(json.metadata.resourceVersion) + 1;
    for (const [i, event] of events.entries()) assert.equal(Number(event.object.metadata.resourceVersion), first + i);
  });
});
