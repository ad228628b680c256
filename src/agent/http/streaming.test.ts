import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { AgentBench } from '../../../test/support/agent-bench.ts';
import { SpdyConnection } from '../../lib/spdy/connection.ts';
import type { SpdyStream } from '../../lib/spdy/stream.ts';
import { FakeRuntime } from '../../runtime/fake-runtime.ts';
import { websocketChannels } from './websocket-command.ts';

const exec = (command: string[], flags: string): string =>
  `/exec/default/web/main?${command.map((c) => `command=${c}`).join('&')}&${flags}`;

describe('streams of the agent', () => {
  const runtime = new FakeRuntime({
    programs: {
      complain: ({ stderr }) => {
        stderr.write('bad\n');
        return 3;
      },
    },
  });
  let bench: AgentBench;
  before(async () => {
    bench = await AgentBench.start({ runtime: () => runtime });
    await bench.runPod('web', { containers: [{ name: 'main', image: 'nginx:1', command: ['cat'], stdin: true }] });
    await bench.podWhen('web', 'running', (p) => p.status.phase === 'Running');
  });
  after(() => bench.stop());

  const dial = (path: string, protocol: string): WebSocket => {
    const { port, ca, cert, key } = bench.connection;
    return new WebSocket(`wss://127.0.0.1:${port}${path}`, protocol, { ca, cert, key });
  };
  /** Everything received, by channel, until the socket closes. */
  const received = (socket: WebSocket): Promise<Map<number, string>> =>
    new Promise((resolve, reject) => {
      const channels = new Map<number, string>();
      socket.on('message', (data: Buffer, binary: boolean) => {
        const [channel, body] = binary
          ? [data[0]!, data.toString('utf8', 1)]
          : [data[0]! - 0x30, Buffer.from(data.toString('latin1', 1), 'base64').toString('utf8')];
        channels.set(channel, (channels.get(channel) ?? '') + body);
      });
      socket.on('close', () => resolve(channels));
      socket.on('error', reject);
    });

  it('remembers a terminal size that comes before the command has started', () => {
    const socket = Object.assign(new EventEmitter(), { protocol: 'v5.channel.k8s.io', readyState: 0, OPEN: 1 });
    const wanted = { stdin: true, stdout: true, stderr: false, tty: true };
    const channels = websocketChannels(socket as unknown as WebSocket, wanted);
    const sizes: number[][] = [];
    socket.emit('message', Buffer.from('\x04{"Width":99,"Height":33}'), true);
    channels.onResize((...size) => sizes.push(size));
    socket.emit('message', Buffer.from('\x04{"Width":80,"Height":24}'), true);
    assert.deepEqual(sizes, [
      [99, 33],
      [80, 24],
    ]);
  });

  it('runs a command over WebSocket v5, with the end of its input', async () => {
    const socket = dial(exec(['cat'], 'input=1&output=1'), 'v5.channel.k8s.io');
    const all = received(socket);
    socket.on('open', () => {
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('hello')]));
      socket.send(Buffer.from([255, 0]));
    });
    const channels = await all;
    assert.equal(channels.get(1), 'hello');
    assert.deepEqual(JSON.parse(channels.get(3)!), { metadata: {}, status: 'Success' });
  });

  for (const protocol of ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'])
    it(`tells output, errors and the exit code over ${protocol}`, async () => {
      const channels = await received(dial(exec(['complain'], 'output=1&error=1'), protocol));
      assert.equal(channels.get(2), 'bad\n');
      const status = JSON.parse(channels.get(3)!);
      assert.equal(status.reason, 'NonZeroExitCode');
      assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '3' }]);
    });

  for (const protocol of ['channel.k8s.io', 'base64.channel.k8s.io'])
    it(`speaks the old ${protocol}`, async () => {
      const channels = await received(dial(exec(['echo', 'hi'], 'output=1&error=1'), protocol));
      assert.equal(channels.get(1), 'hi\n');
      assert.equal(channels.get(3), undefined);
    });

  /** A SPDY connection to the agent, as old kubectls make it. */
  const spdy = (path: string, protocols: string): Promise<{ connection: SpdyConnection; protocol: string }> =>
    new Promise((resolve, reject) => {
      const { port, ca, cert, key } = bench.connection;
      const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocols };
      const request = httpsRequest({ host: '127.0.0.1', port, ca, cert, key, path, method: 'POST', headers, agent: false });
      request.on('upgrade', (response, socket: Duplex, head) =>
        resolve({
          connection: new SpdyConnection({ socket, head, role: 'client' }),
          protocol: String(response.headers['x-stream-protocol-version']),
        }),
      );
      request.on(
        'response',
        (response) => void text(response).then((body) => reject(new Error(`${response.statusCode} ${body}`))),
      );
      request.on('error', reject);
      request.end();
    });

  it('runs a command over SPDY', async () => {
    const { connection, protocol } = await spdy(exec(['cat'], 'input=1&output=1'), 'v4.channel.k8s.io, channel.k8s.io');
    assert.equal(protocol, 'v4.channel.k8s.io');
    const open = (streamtype: string): SpdyStream => connection.open({ streamtype });
    const [error, stdin, stdout] = [open('error'), open('stdin'), open('stdout')];
    stdin.end('through spdy');
    const [output, status] = await Promise.all([text(stdout), text(error)]);
    assert.equal(output, 'through spdy');
    assert.equal(JSON.parse(status).status, 'Success');
  });

  it('refuses protocols it does not know', async () => {
    await assert.rejects(spdy(exec(['cat'], 'output=1'), 'v99.channel.k8s.io'), /403 unable to negotiate protocol/);
  });

  it('forwards ports, and tells when nothing listens', async () => {
    const [sandbox] = await runtime.listSandboxes();
    runtime.listenOn(sandbox!.id, 8080, (stream) => stream.end('from the pod'));
    const { connection } = await spdy('/portForward/default/web', 'portforward.k8s.io');
    const pair = (port: number, requestid: string): SpdyStream[] =>
      ['error', 'data'].map((streamtype) => connection.open({ streamtype, port: String(port), requestid }));
    const [error, data] = pair(8080, '0');
    error!.end();
    assert.equal(await text(data!), 'from the pod');
    assert.equal(await text(error!), '');
    const [refused] = pair(9999, '1');
    assert.match(await text(refused!), /error forwarding port 9999 to pod: .*refused/);
  });

  it('attaches to the main process', async () => {
    const socket = dial('/attach/default/web/main?input=1&output=1', 'v5.channel.k8s.io');
    const heard = new Promise<string>((resolve) =>
      socket.on('message', (d: Buffer) => d.length > 1 && resolve(d.toString('utf8', 1))),
    );
    socket.on('open', () => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('ping')])));
    assert.equal(await heard, 'ping');
    socket.close();
  });

  it('answers only the API server', async () => {
    const { port, ca } = bench.connection;
    const status = await new Promise((resolve, reject) => {
      const request = httpsRequest({ host: '127.0.0.1', port, ca, path: '/healthz', agent: false }, (r) => resolve(r.statusCode));
      request.on('error', reject);
      request.end();
    });
    assert.equal(status, 401);
    assert.deepEqual(await bench.ask('/healthz'), { status: 200, body: 'ok' });
  });

  it('says what is wrong with a request', async () => {
    assert.equal((await bench.ask('/containerLogs/default/nothing/main')).status, 404);
    assert.match((await bench.ask('/containerLogs/default/web/other')).body, /container other is not valid for pod web/);
    const previous = await bench.ask('/containerLogs/default/web/main?previous=true');
    assert.match(previous.body, /previous terminated container "main" in pod "web" not found/);
  });

  it('shows what pods use', async () => {
    const { body } = await bench.ask('/stats/summary');
    assert.equal(JSON.parse(body).node.nodeName, 'node-1');
    assert.match((await bench.ask('/metrics/resource')).body, /resource_scrape_error 0/);
  });
});
