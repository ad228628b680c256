/** Clients that are slow, large, or many, against a real server over real sockets: each has its bound, and the others are still served. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { Agent } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createRequest } from '../../../src/pki/csr.ts';
import { generatePrivateKey, privateKeyPem } from '../../../src/pki/keys.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { ServerProcess } from '../../support/server-process.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const mib = 1024 * 1024;
const bodyLimit = 3 * mib;
/** What service accounts may ask for at a time: the part of their priority level and what it borrows, the queues of one account; and five more. */
const flood = { seats: 368, waiting: 300, all: 673 };

isolated(import.meta.url, ({ folder }) => {
  describe('limits', () => {
    const server = new ServerProcess(folder);
    const ends: (() => void)[] = [];

    before(async () => {
      await server.start();
      await eventually('a namespace', async () => (await server.call('GET', '/api/v1/namespaces/default')).status === 200);
      slow = { silent: closed(connectTcp(server.port, '127.0.0.1')), ...(await stalledBodies()) };
    });
    after(async () => {
      for (const end of ends) end();
      await server.stop();
    });

    /** What becomes of clients that began to be slow when the tests began. */
    let slow: { silent: Promise<number>; overHttp1: Promise<string>; overHttp2: Promise<unknown> };

    async function stalledBodies(): Promise<Pick<typeof slow, 'overHttp1' | 'overHttp2'>> {
      const socket = await dial();
      socket.write(`POST ${maps} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"metadata":`);
      const stream = session().request({ ':method': 'POST', ':path': maps });
      stream.on('error', () => {}).write('{"metadata":');
      let status: unknown;
      stream.on('response', (headers) => {
        status = headers[':status'];
      });
      stream.resume();
      return {
        overHttp1: textUntilClosed(socket),
        overHttp2: new Promise((resolve) => stream.once('close', () => resolve(status))),
      };
    }

    const memoryMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;
    /** The highest since the last call. */
    const peakMib = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;

    function dial(credentials: object = server.credentials): Promise<TLSSocket> {
      return new Promise((resolve, reject) => {
        const { ca, servername } = server.credentials;
        const options = { host: '127.0.0.1', port: server.port, ca, servername, ALPNProtocols: ['http/1.1'], ...credentials };
        const socket = connectTls(options, () => resolve(socket));
        socket.on('error', reject);
        ends.push(() => socket.destroy());
      });
    }

    function session(credentials: object = server.credentials): ClientHttp2Session {
      const { ca, servername } = server.credentials;
      const opened = connectHttp2(`https://127.0.0.1:${server.port}`, { ca, servername, ...credentials });
      opened.on('error', () => {});
      ends.push(() => opened.destroy());
      return opened;
    }

    describe('bodies', () => {
      const tooLarge = (text: string): void => {
        const { kind, status, reason, code, message } = JSON.parse(text);
        assert.deepEqual([kind, status, reason, code], ['Status', 'Failure', 'RequestEntityTooLarge', 413]);
        assert.equal(message, `Request entity too large: limit is ${bodyLimit}`);
      };

      it('are refused above 3 MiB by what they say of themselves, before they come', async () => {
        const socket = await dial();
        socket.write(`POST ${maps} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bodyLimit + 1}\r\n\r\n`);
        const answer = await textUntilClosed(socket);
        assert.match(answer, /^HTTP\/1\.1 413 /);
        tooLarge(answer.slice(answer.indexOf('\r\n\r\n') + 4));
      });

      it('are refused above 3 MiB as they come, over HTTP/2', async () => {
        const stream = session().request({ ':method': 'POST', ':path': maps, 'content-type': 'application/json' });
        stream.on('error', () => {});
        stream.write(Buffer.alloc(bodyLimit + 1, 0x20));
        const chunks: Buffer[] = [];
        const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        assert.equal(await status, 413);
        await new Promise((resolve) => stream.once('close', resolve));
        tooLarge(Buffer.concat(chunks).toString());
      });

      it('of 200 clients at once are all answered, in little memory', async () => {
        const body = JSON.stringify({
          metadata: { name: 'large' },
          data: { a: 'x'.repeat(900_000) },
          fill: ['y'.repeat(2 * mib)],
        });
        assert.ok(body.length < bodyLimit && body.length > bodyLimit - 300_000);
        const before = memoryMib();
        const agent = new Agent({ ...server.credentials, maxSockets: Number.POSITIVE_INFINITY });
        const answers = await Promise.all(
          Array.from({ length: 200 }, () => server.call('POST', `${maps}?dryRun=All`, body, { agent })),
        );
        agent.destroy();
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
        const grew = peakMib() - before;
        assert.ok(grew < 250, `grew by ${Math.round(grew)} MiB, the bodies are ${Math.round((200 * body.length) / mib)} MiB`);
      });
    });

    // Before the next tests open more connections than strangers may have, which would end these.
    it('bodies that stop coming are given up, and so is who never begins TLS', async () => {
      assert.match(await slow.overHttp1, /^HTTP\/1\.1 408 [\s\S]*"reason":"Timeout"/);
      assert.equal(await slow.overHttp2, 408);
      const silentMs = await slow.silent;
      assert.ok(silentMs > 25_000 && silentMs < 60_000, `${silentMs} ms`);
    });

    describe('connections', () => {
      it('may be open without a word in small numbers only, and are not in the way of others', async () => {
        const known = new Agent({ ...server.credentials, keepAlive: true, maxSockets: 1 });
        ends.push(() => known.destroy());
        let dialled = 0;
        const dialAgain = known.createConnection.bind(known);
        known.createConnection = (options, done) => {
          dialled++;
          return dialAgain(options, done);
        };
        const asKnown = async (): Promise<number> => (await server.call('GET', '/readyz', undefined, { agent: known })).status;
        assert.equal(await asKnown(), 200);
        const before = memoryMib();
        const sockets: Socket[] = [];
        let open = 0;
        for (let n = 0; n < 1000; n++) {
          const { ca, servername } = server.credentials;
          const socket = connectTls({ host: '127.0.0.1', port: server.port, ca, servername, ALPNProtocols: ['http/1.1'] });
          socket.on('error', () => {}).on('close', () => open--);
          socket.resume();
          socket.once('secureConnect', () => socket.write('GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: '));
          open++;
          sockets.push(socket);
          if (n % 50 === 49) await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
        }
        ends.push(() => {
          for (const socket of sockets) socket.destroy();
        });
        await eventually('the rest is let go', () => open <= 512);
        assert.deepEqual([await asKnown(), dialled], [200, 1], 'a connection of somebody known goes on');
        assert.ok(memoryMib() - before < 100, `grew by ${memoryMib() - before} MiB`);
        // The oldest are past their first two seconds now: newcomers push them out.
        await eventually('a new client is served', async () => {
          const agent = new Agent(server.credentials);
          return (await server.call('GET', '/readyz', undefined, { agent }).finally(() => agent.destroy())).status === 200;
        });
        await eventually('slow headers are given up', () => open === 0, 60_000);
      });

      it('carry 250 streams of HTTP/2 at a time', async () => {
        const opened = session();
        let answered = 0;
        const watch = (): ClientHttp2Stream => {
          const stream = opened.request({ ':path': `${maps}?watch=1&fieldSelector=metadata.name%3Dnone` });
          stream.on('response', () => answered++).on('error', () => {});
          return stream;
        };
        const streams = Array.from({ length: 251 }, watch);
        await eventually('as many as are allowed', () => answered === 250);
        assert.equal(opened.remoteSettings.maxConcurrentStreams, 250);
        for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
        await eventually('room for others', () => {
          if (answered === 250) watch();
          return answered > 250;
        });
        opened.destroy();
      });

      it('end when headers are too many for HTTP/2', async () => {
        const stream = session().request({ ':path': '/version', 'x-large': 'x'.repeat(80 * 1024) });
        const outcome = await new Promise<string>((resolve) => {
          stream.on('response', (headers) => resolve(String(headers[':status'])));
          stream.on('error', () => resolve('error'));
          stream.on('close', () => resolve('closed'));
        });
        assert.ok(['431', 'error', 'closed'].includes(outcome), outcome);
        assert.equal((await server.call('GET', '/readyz')).status, 200);
      });
    });

    it('a request may ask for less time than it would be given', async () => {
      const bad = await server.call('GET', `${maps}?timeout=soon`);
      assert.deepEqual(
        [bad.status, JSON.parse(bad.body).message],
        [400, 'invalid timeout specified in the request URL - time: invalid duration "soon"'],
      );
      assert.equal((await server.call('GET', `${maps}?timeout=32s`)).status, 200);
      const socket = await dial();
      const startedAt = performance.now();
      socket.write(`POST ${maps}?timeout=700ms HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{`);
      const [head] = await once(socket, 'data');
      assert.match(String(head), /^HTTP\/1\.1 504 /);
      assert.ok(performance.now() - startedAt < 4_000);
      socket.destroy();
    });

    it('too many requests at once are turned away, heartbeats of nodes are not', async () => {
      const token = await serviceAccountToken();
      const node = await nodeCredentials('pi');
      const asNode = new Agent({ ...server.credentials, ...node });
      ends.push(() => asNode.destroy());
      const lease = { metadata: { name: 'pi' }, spec: { holderIdentity: 'pi' } };
      const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
      assert.equal((await server.call('POST', leases, lease, { agent: asNode })).status, 201);
      const one = new Agent({ ca: server.credentials.ca, servername: 'localhost' });
      ends.push(() => one.destroy());
      const asFlood = { agent: one, headers: { authorization: `Bearer ${token}` } };
      const answered: unknown[] = [];
      const strangers = Array.from({ length: 3 }, () => session({}));
      const headers = { ':method': 'POST', ':path': maps, authorization: asFlood.headers.authorization };
      for (let n = 0; n < flood.all; n++) {
        const stream = strangers[n % strangers.length]!.request({ ...headers, 'content-type': 'application/json' });
        stream.on('error', () => {}).write('{');
        stream.once('response', (head) => answered.push(head[':status'])).resume();
      }
      await eventually('the last five are turned away', () => answered.length === 5);
      assert.deepEqual([...new Set(answered)], [429]);
      const metrics = (await server.call('GET', '/metrics')).body;
      const labels = '{priority_level="workload-low",flow_schema="service-accounts"}';
      assert.ok(metrics.includes(`apiserver_flowcontrol_current_executing_requests${labels} ${flood.seats}\n`), metrics);
      assert.ok(metrics.includes(`apiserver_flowcontrol_current_inqueue_requests${labels} ${flood.waiting}\n`), metrics);
      const answer = await server.call('POST', maps, { metadata: { name: 'late' } }, asFlood);
      assert.equal(answer.status, 429, answer.body);
      assert.match(String(answer.headers['retry-after']), /^[12]$/, 'a second, or two for those who come after the first five');
      const merge = { agent: asNode, headers: { 'content-type': 'application/merge-patch+json' } };
      assert.equal((await server.call('PATCH', `${leases}/pi`, { spec: { leaseDurationSeconds: 40 } }, merge)).status, 200);
      assert.equal((await server.call('POST', maps, { metadata: { name: 'by-admin' } })).status, 201);
      await eventually(
        'places are free again when the bodies have stalled',
        async () => (await server.call('POST', `${maps}?dryRun=All`, { metadata: { name: 'late' } }, asFlood)).status === 201,
        40_000,
      );
    });

    it('answers that nobody takes end the connections that hold most', async () => {
      const large = { metadata: { name: 'wide' }, data: { a: 'x'.repeat(900_000) } };
      assert.equal((await server.call('POST', maps, large)).status, 201);
      const sessions = Array.from({ length: 20 }, session);
      let over = 0;
      for (const opened of sessions) {
        opened.once('close', () => over++);
        for (let n = 0; n < 5; n++) opened.request({ ':path': `${maps}/wide` }).on('error', () => {});
      }
      await eventually('some are ended', () => over >= 8);
      assert.equal((await server.call('GET', `${maps}/wide`)).status, 200);
      assert.ok(over < sessions.length, 'not all are');
      for (const opened of sessions) opened.destroy();
    });

    it('pipelined requests whose answers nobody reads take little memory', async () => {
      const before = memoryMib();
      const requests = `GET ${maps}/wide HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(4);
      for (let n = 0; n < 300; n += 20) {
        const opened = await Promise.all(Array.from({ length: 20 }, () => dial()));
        for (const socket of opened) socket.pause().write(requests);
      }
      const renew = { headers: { 'content-type': 'application/merge-patch+json' } };
      const beat = await server.call('PATCH', `${maps}/wide`, { metadata: { labels: { beat: '1' } } }, renew);
      assert.equal(beat.status, 200);
      const grew = peakMib() - before;
      assert.ok(grew < 200, `grew by ${Math.round(grew)} MiB, the answers are ${Math.round((300 * 4 * 900_000) / mib)} MiB`);
      for (const end of ends.splice(0)) end();
    });

    it('small answers that nobody takes end connections too', async () => {
      const zeroWindow = { ...server.credentials, settings: { initialWindowSize: 0 } };
      const sessions = Array.from({ length: 40 }, () => session(zeroWindow));
      let over = 0;
      for (const opened of sessions) {
        opened.once('close', () => over++);
        for (let n = 0; n < 250; n++) opened.request({ ':path': '/version' }).on('error', () => {});
      }
      await eventually('some are ended', () => over >= 20);
      assert.equal((await server.call('GET', '/readyz')).status, 200);
      for (const opened of sessions) opened.destroy();
    });

    it('YAML that would keep everybody waiting is refused', async () => {
      const headers = { 'content-type': 'application/yaml' };
      const answer = await server.call('POST', maps, `data:\n${'- a\n'.repeat(700_000)}`, { headers });
      assert.equal(answer.status, 413);
      assert.match(JSON.parse(answer.body).message, /Send it as JSON/);
    });

    describe('watches', () => {
      const fill = async (name: string, times: number): Promise<void> => {
        for (let n = 0; n < times; n++) {
          const data = { n: String(n), a: String(n % 10).repeat(900_000) };
          const headers = { 'content-type': 'application/merge-patch+json' };
          assert.equal((await server.call('PATCH', `${maps}/${name}`, { data }, { headers })).status, 200);
        }
      };

      it('of clients that do not read end, and end cleanly', async () => {
        assert.equal((await server.call('POST', maps, { metadata: { name: 'busy' } })).status, 201);
        const socket = await dial();
        socket.pause();
        socket.write(`GET ${maps}?watch=1&fieldSelector=metadata.name%3Dbusy HTTP/1.1\r\nHost: x\r\n\r\n`);
        const before = memoryMib();
        await fill('busy', 40);
        assert.ok(memoryMib() - before < 150, `grew by ${memoryMib() - before} MiB`);
        const text = await new Promise<string>((resolve) => {
          let read = '';
          socket.on('data', (chunk: Buffer) => {
            read += chunk.toString('latin1');
            if (read.endsWith('\r\n0\r\n\r\n')) resolve(read);
          });
          socket.resume();
        });
        const lines = unchunked(text).trimEnd().split('\n');
        const seen = lines.map((line) => JSON.parse(line).object.data?.n);
        assert.ok(seen.length > 8 && seen.length < 40, `${seen.length} of 40 events`);
        assert.deepEqual(
          seen.slice(1),
          seen.slice(1).map((_, n) => String(n)),
        );
        socket.destroy();
      });

      it('of what is there, which nobody takes, cost little memory', async () => {
        const before = memoryMib();
        const sessions = Array.from({ length: 40 }, () => session({ ...server.credentials, settings: { initialWindowSize: 0 } }));
        let reset = 0;
        const watch = (opened: ClientHttp2Session): void => {
          const stream = opened.request({ ':path': `${maps}?watch=1&fieldSelector=metadata.name%3Dbusy` });
          stream.on('error', () => {}).once('close', () => reset++);
        };
        for (const opened of sessions) for (let n = 0; n < 10; n++) watch(opened);
        await eventually('most are reset', () => reset > 200, 30_000);
        assert.equal((await server.call('GET', '/readyz')).status, 200);
        assert.ok(peakMib() - before < 250, `grew by ${peakMib() - before} MiB of ${400 * 0.9}`);
        for (const opened of sessions) opened.destroy();
      });

      it('come as they happen to clients that ask for an upgrade nobody offers', async () => {
        const socket = await dial();
        const from = JSON.parse((await server.call('GET', `${maps}?limit=1`)).body).metadata.resourceVersion;
        const upgrade = 'Connection: Upgrade\r\nUpgrade: SPDY/3.1';
        socket.write(`GET ${maps}?watch=1&resourceVersion=${from} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\r\n`);
        let text = '';
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        await eventually('the head', () => /^HTTP\/1\.1 200 /.test(text));
        assert.equal((await server.call('POST', maps, { metadata: { name: 'seen' } })).status, 201);
        await eventually('the event', () => text.includes('"name":"seen"'));
        socket.destroy();
      });
    });

    async function serviceAccountToken(): Promise<string> {
      const body = {
        metadata: { name: 'flood', namespace: 'default' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
      };
      const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
      assert.equal((await server.call('POST', bindings, body)).status, 201);
      const answer = await eventually('the account', async () => {
        const asked = await server.call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', {});
        return asked.status === 201 ? asked : undefined;
      });
      return JSON.parse(answer.body).status.token;
    }

    async function nodeCredentials(name: string): Promise<{ cert: string; key: string }> {
      const key = generatePrivateKey();
      const pem = createRequest({
        subject: { commonName: `system:node:${name}`, organizations: ['system:nodes'] },
        privateKey: key,
      });
      const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
      const created = await server.call('POST', requests, {
        metadata: { name },
        spec: {
          request: Buffer.from(pem).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
          usages: ['digital signature', 'client auth'],
        },
      });
      assert.equal(created.status, 201, created.body);
      const signed = await eventually('the certificate', async () => {
        return JSON.parse((await server.call('GET', `${requests}/${name}`)).body).status?.certificate;
      });
      return { cert: Buffer.from(signed, 'base64').toString(), key: privateKeyPem(key) };
    }
  });
});

/** After how many milliseconds the peer hangs up. */
function closed(socket: Socket): Promise<number> {
  const since = performance.now();
  return new Promise((resolve) => socket.on('error', () => {}).once('close', () => resolve(performance.now() - since)));
}

function once(socket: Socket, event: string): Promise<Buffer[]> {
  return new Promise((resolve) => socket.once(event, (...values) => resolve(values)));
}

/** All a peer sends before it hangs up. */
function textUntilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('end', () => socket.destroy());
  });
}

/** The body of a chunked answer. */
function unchunked(answer: string): string {
  let body = '';
  for (let at = answer.indexOf('\r\n\r\n') + 4; ; ) {
    const lineEnd = answer.indexOf('\r\n', at);
    const size = Number.parseInt(answer.slice(at, lineEnd), 16);
    if (!size) return body;
    body += answer.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
