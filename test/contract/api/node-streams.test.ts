import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { Node } from '../../../src/api/kinds/core/node.ts';
import type { AdmissionPlugin } from '../../../src/server/admission/admission.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const pods = '/api/v1/namespaces/default/pods';
const spec = { containers: [{ name: 'c', image: 'i' }], nodeName: 'n1' };

describe('streams to nodes', () => {
  const tls = throwAwayTls();
  const agentPair = tls.client('system:node:n1', ['system:nodes']);
  const serverPair = tls.client('kube-apiserver-kubelet-client', ['system:masters']);
  const seen: { url: string; peer: string; headers: IncomingMessage['headers'] }[] = [];
  const connected: object[] = [];
  const afterRefusal: string[] = [];
  let agent: Server;
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;

  before(async () => {
    agent = createServer({ cert: agentPair.certificatePem, key: agentPair.keyPem, ca: tls.caPem, requestCert: true });
    const note = (request: IncomingMessage) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
      seen.push({ url: request.url ?? '', peer: String(peer), headers: request.headers });
    };
    agent.on('request', (request, response) => {
      note(request);
      if (request.url === '/echo') request.pipe(response);
      else if (request.url?.includes('/waiting/'))
        response.writeHead(400).end('container "c" in pod "waiting" is waiting to start');
      else if (request.url?.startsWith('/pages/')) answerPage(request, response);
      else response.end(`log of ${request.url}`);
    });
    agent.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      note(request);
      if (request.url === '/refused') {
        // As a server that goes on reading requests: what comes now would be obeyed as one.
        socket.on('data', (bytes: Buffer) => afterRefusal.push(bytes.toString()));
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: night\r\n\r\nno');
        return;
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n');
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
    const nodeClient = () => ({ ...serverPair, caPem: tls.caPem });
    const admission = (): AdmissionPlugin[] => [
      {
        name: 'Noting',
        validate({ operation, name, subresource, object }) {
          if (operation === 'CONNECT') connected.push({ name, subresource, ...(object as object) });
        },
      },
    ];
    ({ server, stop } = await startTestApi({ admission, overrides: { tls: tls.tls, host: '127.0.0.1', nodeClient } }));
    send = caller(server);
    await server.inProcess.create(systemMaster, Node, { metadata: { name: 'n1' }, spec: {} });
    const { port } = agent.address() as AddressInfo;
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    };
    await send('PATCH /api/v1/nodes/n1/status', { status }, { 'content-type': 'application/merge-patch+json' });
    for (const name of ['p', 'waiting']) await send(`POST ${pods}`, { metadata: { name }, spec });
  });

  let pageBody = Buffer.alloc(0);
  let redirectTo = '';
  function answerPage(request: IncomingMessage, response: ServerResponse): void {
    const how = request.url?.split('/').at(-1);
    if (how === 'redirect') {
      response.writeHead(302, { location: redirectTo }).end();
      return;
    }
    const encoding = how === 'gzip' ? 'gzip' : how === 'unknown' ? 'br' : undefined;
    response.writeHead(200, {
      'content-type': how === 'text' ? 'text/plain' : 'text/html; charset=utf-8',
      'access-control-allow-origin': '*',
      'x-other': 'kept',
      ...(encoding ? { 'content-encoding': encoding } : {}),
    });
    response.end(how === 'gzip' ? gzipSync(pageBody) : pageBody);
  }

  after(async () => {
    await stop();
    agent.closeAllConnections();
    agent.close();
  });

  it('bring logs, with the options and the certificate the agent asks for', async () => {
    const answer = await send(`GET ${pods}/p/log?tailLines=5&timestamps=true`);
    assert.deepEqual([answer.status, answer.body], [200, 'log of /containerLogs/default/p/c?timestamps=true&tailLines=5']);
    assert.equal(seen.at(-1)?.peer, 'kube-apiserver-kubelet-client');
    const refused = await send(`GET ${pods}/waiting/log`);
    assert.deepEqual([refused.status, refused.json.reason], [400, 'BadRequest']);
    assert.match(refused.json.message, /waiting to start/);
    assert.equal((await send(`GET ${pods}/p/log?tailLines=-1`)).status, 422);
    assert.equal((await send(`GET ${pods}/nobody/log?limitBytes=0`)).status, 422);
    const wrong = async (query: string) => (await send(`GET ${pods}/p/log?${query}`)).json.message;
    assert.equal(await wrong('tailLines=x'), 'strconv.ParseInt: parsing "x": invalid syntax');
    assert.match(await wrong('sinceTime=x'), /^parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x"/);
    assert.equal((await send(`GET ${pods}/p/log?container=x`)).json.message, 'container x is not valid for pod p');
  });

  it('pass an upgraded connection through, without credentials of the client', async () => {
    const echoed = await upgrade(`${pods}/p/exec?command=cat&command=-n&container=c&stdin=true&stdout=true`);
    assert.equal(echoed, 'hello');
    const { url, headers } = seen.at(-1)!;
    assert.equal(url, '/exec/default/p/c?command=cat&command=-n&input=1&output=1');
    assert.equal(headers.authorization, undefined);
    assert.equal(headers['x-stream-protocol-version'], 'v5.channel.k8s.io');
    await upgrade(`${pods}/p/portforward`);
    assert.equal(seen.at(-1)?.url, '/portForward/default/p');
  });

  it('proxy to the agent itself', async () => {
    const answer = await send('GET /api/v1/nodes/n1/proxy/stats/summary?x=1', undefined, { authorization: 'Bearer secret' });
    assert.equal(answer.body, 'log of /stats/summary?x=1');
    assert.equal(seen.at(-1)?.headers.authorization, undefined);
    const redirect = await send('GET /api/v1/nodes/n1/proxy');
    assert.deepEqual([redirect.status, redirect.headers['location']], [301, '/api/v1/nodes/n1/proxy/']);
    assert.equal((await send('GET /api/v1/nodes/nobody/proxy')).status, 404);
    assert.equal((await send('OPTIONS /api/v1/nodes/n1/proxy/x')).status, 200);
    assert.equal((await send('HEAD /api/v1/nodes/n1/proxy/x')).status, 200);
    const options = { name: 'n1', subresource: 'proxy', kind: 'NodeProxyOptions', apiVersion: 'v1' };
    assert.deepEqual(connected.slice(-5, -3), [
      { ...options, path: '/stats/summary' },
      { ...options, path: '/' },
    ]);
  });

  it('proxied pages and redirects keep their links below the proxy', async () => {
    const proxy = '/api/v1/nodes/n1/proxy';
    const { port } = agent.address() as AddressInfo;
    const page = (path: string) => send(`GET ${proxy}/pages/${path}`, undefined, { host: 'pi:6443' });
    const links = [
      '/a',
      'b',
      `https://127.0.0.1:${port}/c/?d=1`,
      'https://pi:6443/e',
      'https://other/f',
      `${proxy}/g`,
      '//x/y',
      '/../h',
    ];
    const [own, asked] = [`${proxy}/c/?d=1`, `https://pi:6443${proxy}/e`];
    const shown = [`${proxy}/a`, 'b', own, asked, 'https://other/f', `${proxy}/g`, '//x/y', `${proxy}/h`];
    const anchors = (of: readonly string[]): string => of.map((link) => `<a href="${link}">é</a>`).join('');
    pageBody = Buffer.from(anchors(links));
    const plain = await page('html');
    assert.equal(plain.body, anchors(shown));
    assert.deepEqual(
      [plain.headers['content-type'], plain.headers['access-control-allow-origin'], plain.headers['x-other']],
      ['text/html; charset=utf-8', undefined, 'kept'],
    );
    const compressed = await page('gzip');
    assert.deepEqual([compressed.body, compressed.headers['content-encoding']], [anchors(shown), undefined]);
    assert.equal((await page('text')).body, anchors(links), 'only HTML is looked into');
    assert.equal((await page('unknown')).body, anchors(links), 'what cannot be read is passed on');
    pageBody = Buffer.from('<a href="/a">'.repeat(100_000));
    assert.equal((await page('html')).body, pageBody.toString(), 'large pages are passed on');
    const location = async (to: string) => {
      redirectTo = to;
      return (await page('redirect')).headers['location'];
    };
    for (const [i, link] of links.entries()) assert.equal(await location(link), shown[i]);
  });

  it('end an upgrade the backend refuses, and send it nothing more', async () => {
    const upgrading = ['GET /api/v1/nodes/n1/proxy/refused HTTP/1.1', 'host: x', 'connection: Upgrade', 'upgrade: SPDY/3.1'];
    const smuggled = 'POST /run/default/p/c HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await exchangeBytes(`${upgrading.join('\r\n')}\r\n\r\n${smuggled}`, smuggled);
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n(?:.*\r\n)*x-why: night\r\n(?:.*\r\n)*\r\nno$/);
    assert.deepEqual(afterRefusal, []);
  });

  it('keep the body of a request a body, whatever its method', async () => {
    const before = seen.length;
    const smuggled = 'POST /run/default/p/c HTTP/1.1\r\nhost: x\r\n\r\n';
    const path = '/api/v1/nodes/n1/proxy/echo';
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST'])
      assert.equal((await send(`${method} ${path}`, smuggled)).body, smuggled);
    const head = [`GET ${path} HTTP/1.1`, 'host: x', 'connection: close', 'transfer-encoding: chunked'];
    const chunks = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    assert.ok((await exchangeBytes(`${head.join('\r\n')}\r\n\r\n${chunks}`)).includes(smuggled));
    assert.equal(await overHttp2(path, smuggled), smuggled);
    assert.equal(await overHttp2(path), '');
    assert.deepEqual([seen.length - before, new Set(seen.slice(before).map(({ url }) => url))], [7, new Set(['/echo'])]);
    assert.equal(seen.at(-1)?.headers['transfer-encoding'], undefined, 'none for what has no body');
  });

  it('pass on no header the client names as one of the connection', async () => {
    await send('GET /api/v1/nodes/n1/proxy/x', undefined, { connection: 'close, X-Hop', 'x-hop': '1', 'x-end': '2' });
    const { headers } = seen.at(-1)!;
    assert.deepEqual([headers['x-hop'], headers['x-end']], [undefined, '2']);
  });

  it('say what is wrong when the node does not answer', async () => {
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
    };
    await server.inProcess.create(systemMaster, Node, { metadata: { name: 'gone' }, spec: {} });
    await send('PATCH /api/v1/nodes/gone/status', { status }, { 'content-type': 'application/merge-patch+json' });
    await send(`POST ${pods}`, { metadata: { name: 'far' }, spec: { ...spec, nodeName: 'gone' } });
    const answer = await send(`GET ${pods}/far/log`);
    assert.equal(answer.status, 503);
    assert.match(answer.json.message, /error dialing backend: dial tcp 127\.0\.0\.1:1/);
  });

  /** Sends bytes over a connection of its own, `more` when the first of the answer comes, and resolves with all that comes back. */
  function exchangeBytes(bytes: string, more = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: tls.caPem, servername: 'localhost' });
      let answer = '';
      socket.once('data', () => socket.write(more));
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
      socket.write(bytes);
    });
  }

  async function overHttp2(path: string, body?: string): Promise<string> {
    const session = connect(`https://127.0.0.1:${server.port}`, { ca: tls.caPem });
    try {
      const stream = session.request({ ':method': 'GET', ':path': path }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    } finally {
      session.destroy();
    }
  }

  /** Upgrades, sends `hello`, and resolves with what comes back. */
  function upgrade(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': 'v5.channel.k8s.io',
        authorization: 'Bearer secret',
      };
      const sent = request({ host: '127.0.0.1', port: server.port, path, method: 'POST', headers, ca: tls.caPem, agent: false });
      sent.on('upgrade', (_response, socket) => {
        socket.once('data', (bytes) => {
          socket.destroy();
          resolve(bytes.toString());
        });
        socket.write('hello');
      });
      sent.on('response', (response) => reject(new Error(`the server answered ${response.statusCode}`)));
      sent.on('error', reject);
      sent.end();
    });
  }
});
