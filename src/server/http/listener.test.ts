import assert from 'node:assert/strict';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { eventually } from '../../../test/support/eventually.ts';
import { throwAwayTls } from '../../../test/support/throw-away-tls.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import { Listener } from './listener.ts';

/** More than the sockets between two processes hold. */
const largeBytes = 16 * 1024 * 1024;

describe('Listener', () => {
  const { tls, caPem } = throwAwayTls();
  const metrics = new MetricRegistry();
  let answered = 0;
  const listener = new Listener({
    tls,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    metrics,
    async handler(exchange) {
      const { length } = await exchange.readBody(largeBytes);
      answered++;
      if (exchange.method === 'OPTIONS')
        return { status: 200, headers: {}, parts: [Buffer.from(`${exchange.path} ${exchange.query}`)] };
      const body = exchange.method === 'GET' ? new Uint8Array(largeBytes) : Buffer.from(String(length));
      return { status: 200, headers: {}, parts: [body] };
    },
  });
  before(() => listener.start());
  after(() => listener.stop());

  it('reads the next request of a connection whose last answer is still on its way', { timeout: 30_000 }, async () => {
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: listener.port, ca: caPem, servername: 'localhost', ALPNProtocols: ['http/1.1'] };
      const opened = connect(options, () => resolve(opened));
      opened.once('error', reject);
    });
    const body = 'x'.repeat(300_000);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the first request is answered', () => answered === 1);
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    let received = 0;
    let tail = '';
    const failed = new Promise<never>((_, reject) =>
      socket.once('error', reject).once('close', () => reject(new Error('closed'))),
    );
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-100);
    });
    await Promise.race([eventually('the second request is answered', () => tail.endsWith(String(body.length)), 20_000), failed]);
    assert.ok(received > largeBytes);
    socket.destroy();
  });

  /** Path and query the server takes a target for. */
  function taken(target: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { port } = listener;
      const options = { host: '127.0.0.1', port, ca: caPem, servername: 'localhost', method: 'OPTIONS', path: target };
      request(options, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk)).once('end', () => resolve(body));
      })
        .once('error', reject)
        .end();
    });
  }

  it('takes whole addresses for paths', async () => {
    for (const [target, path] of [
      ['https://x:6443/api/v1?a=b', '/api/v1 a=b'],
      ['HTTPS://x', '/ '],
      ['http://x?a', '/ a='],
      ['/api/v1?a=https://x/y', '/api/v1 a=https%3A%2F%2Fx%2Fy'],
    ] as const) {
      assert.equal(await taken(target), path);
    }
  });

  /** What comes back on a connection without TLS until it is closed. */
  function sentPlain(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let received = '';
      const socket = connectPlain(listener.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.once('error', reject).once('close', () => resolve(received));
    });
  }

  it('tells clients that forgot TLS, and only those', async () => {
    const told = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'])
      assert.equal(await sentPlain(`${method} /api HTTP/1.1\r\nHost: x\r\n\r\n`), told, method);
    assert.doesNotMatch(await sentPlain('\0\x01no TLS and no HTTP either'), /HTTP/);
    assert.match(metrics.render(), /^apiserver_tls_handshake_errors_total 7$/m);
  });
});
