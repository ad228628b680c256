import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import type { ApiServer, Security } from '../../../src/server/api-server.ts';
import { createAuthorization } from '../../../src/server/auth/authorization.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { startTestApi } from '../../support/api-server.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const maps = '/api/v1/namespaces/default/configmaps';

describe('connections', () => {
  const first = throwAwayTls();
  const other = throwAwayTls();
  let material = first.tls.current();
  let renewed: () => void = () => {};
  const seen: (string | undefined)[] = [];
  let server: ApiServer;
  let stop: () => Promise<void>;
  let url: string;

  before(async () => {
    const tls = {
      current: () => material,
      onChange: (listener: () => void) => {
        renewed = listener;
        return () => {};
      },
    };
    const security = (reader: Parameters<typeof createAuthorization>[0]['reader']): Security => ({
      authenticate({ clientCertificate }) {
        seen.push(clientCertificate && new X509Certificate(clientCertificate).subject);
        return systemMaster;
      },
      authorizer: createAuthorization({ reader }),
      admission: [],
      reviews: new Map(),
      tokens: { issue: () => Promise.reject(new Error('this server makes no tokens')) },
    });
    ({ server, stop } = await startTestApi({ overrides: { tls, host: '127.0.0.1', security } }));
    url = `https://127.0.0.1:${server.port}`;
    for (const name of ['a', 'b']) {
      await server.inProcess.create(systemMaster, ConfigMap, { metadata: { name, namespace: 'default' } });
    }
  });
  after(() => stop());

  const overHttp1 = (ca: string, pair?: { certificatePem: string; keyPem: string }): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const own = pair ? { cert: pair.certificatePem, key: pair.keyPem } : {};
      const sent = request(`${url}${maps}`, { ca, agent: false, ...own }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
      sent.on('error', reject).end();
    });

  const overHttp2 = (ca: string, pair: { certificatePem: string; keyPem: string }): Promise<number> =>
    new Promise((resolve, reject) => {
      const session = connectHttp2(url, { ca, cert: pair.certificatePem, key: pair.keyPem });
      session.on('error', reject);
      const stream = session.request({ ':path': maps });
      stream.on('response', (headers) => {
        session.close();
        resolve(Number(headers[':status']));
      });
      stream.resume();
    });

  it('show the certificates of clients, whoever signed them, for authentication to judge', async () => {
    const alice = first.client('alice', ['devs']);
    seen.length = 0;
    assert.equal(await overHttp1(first.caPem, alice), 200);
    assert.equal(await overHttp2(first.caPem, alice), 200);
    assert.equal(await overHttp1(first.caPem), 200);
    assert.equal(await overHttp2(first.caPem, other.client('mallory', ['system:masters'])), 200);
    assert.deepEqual(
      seen.map((subject) => /CN=(\w+)/.exec(subject ?? '')?.[1]),
      ['alice', 'alice', undefined, 'mallory'],
    );
  });

  it('get a renewed certificate without a restart', async () => {
    material = { ...other.tls.current(), clientCaPem: first.caPem };
    renewed();
    assert.equal(await overHttp1(other.caPem), 200);
    await assert.rejects(overHttp1(first.caPem));
    material = first.tls.current();
    renewed();
  });

  it('keep the ids clients give their requests, up to a length', async () => {
    const idOf = (id: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const options = { headers: { 'audit-id': id }, rejectUnauthorized: false, agent: false as const };
        const sent = request(`${url}/version`, options, (answer) => {
          answer.resume();
          resolve(answer.headers['audit-id']);
        });
        sent.on('error', reject).end();
      });
    assert.equal(await idOf('mine'), 'mine');
    assert.equal(await idOf('x'.repeat(300)), 'x'.repeat(64));
  });

  it('carry watches as messages of a WebSocket', async () => {
    const target = `${url.replace('https', 'wss')}${maps}?watch=1&resourceVersion=0&timeoutSeconds=1`;
    const ws = new WebSocket(target, { ca: first.caPem });
    const messages: string[] = [];
    ws.on('message', (data) => messages.push(String(data)));
    await new Promise((resolve, reject) => ws.on('close', resolve).on('error', reject));
    assert.deepEqual(
      messages.map((text) => JSON.parse(text).object.metadata.name),
      ['a', 'b'],
    );
  });

  it('end their watches when the server stops', async () => {
    const session = connectHttp2(url, { ca: first.caPem });
    const stream = session.request({ ':path': `${maps}?watch=1` });
    const ended = new Promise<void>((resolve) => stream.on('end', resolve));
    await new Promise((resolve) => stream.once('data', resolve));
    stream.resume();
    const startedAt = performance.now();
    await stop();
    await ended;
    assert.ok(performance.now() - startedAt < 1500, 'without waiting for clients to go');
    session.close();
  });
});
