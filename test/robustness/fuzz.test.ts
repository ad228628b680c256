/**
 * Sends a real server what nobody meant: requests bent in every way, random bytes over TLS, broken HTTP/2. It must answer each with what the
 * client did wrong, stay small, and keep what is stored. `FUZZ_SEED=n` repeats a run, `FUZZ_SECONDS=n` makes it longer.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { complaint, type FuzzRequest, FuzzRequests, fuzzNamespace, printRequest } from '../support/fuzz-requests.ts';
import { isolated } from '../support/isolated.ts';
import { mutateBytes } from '../support/mutate.ts';
import { Random, seedOf } from '../support/random.ts';
import { ServerProcess } from '../support/server-process.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 30);
const clients = 8;
/** Nothing that fits into a request takes longer, also on a busy machine. */
const hangMs = 20_000;
/**
 * What the server may have grown by, once it is idle and has collected its garbage, from when it had answered for a while: the fuzz writes the
 * same few objects over and over.
 */
const growthLimitMib = 100;
const collectedMs = 60_000;
/** At any moment, garbage and all. */
const peakLimitMib = 600;
const canary = '/api/v1/namespaces/default/configmaps/canary';

/** Beginnings of connections that are none of HTTP, or not for long. */
const openings = [
  'GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"metadata":{}}',
  'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nffffffff\r\n',
  'GET /api/v1/pods?watch=1&timeoutSeconds=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'GET /api/v1/namespaces/default/pods/x/exec?command=x HTTP/1.1\r\nHost: x\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\xff\xff\xff\0\0\x04\x08\0\0\0\0\0\xff\xff\xff\xff',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\x05\0\0\0\x01\x82\x84\x87\x41\x00',
];

isolated(
  import.meta.url,
  ({ folder }) => {
    describe('a server that is sent anything', () => {
      it('answers, stays small and keeps what is stored', { timeout: (seconds + 120) * 1000 }, async () => {
        const random = new Random(seedOf('FUZZ_SEED'));
        const server = new ServerProcess(folder);
        await server.start();
        const { pid } = server;
        assert.equal((await server.call('POST', '/api/v1/namespaces', { metadata: { name: fuzzNamespace } })).status, 201);
        await server.call('POST', canary.replace('/canary', ''), { metadata: { name: 'canary' }, data: { alive: 'yes' } });
        const before = (await server.call('GET', canary)).body;

        const fuzz = new Fuzz(server, random);
        await fuzz.run(performance.now() + Math.min(10, seconds / 3) * 1000);
        const warmMib = memoryMib(pid);
        await fuzz.run(performance.now() + seconds * 1000);
        console.log(`${fuzz.requests} requests, ${fuzz.connections} broken connections: ${[...fuzz.statuses].sort().join(' ')}`);
        console.log(
          `slowest ${Math.round(fuzz.slowestMs)} ms; ${Math.round(warmMib)} MiB, then ${Math.round(memoryMib(pid))} MiB, ${Math.round(memoryMib(pid, 'VmHWM'))} at the highest`,
        );

        fuzz.stop();
        assert.deepEqual(fuzz.complaints, []);
        assert.ok(memoryMib(pid, 'VmHWM') < peakLimitMib, `${memoryMib(pid, 'VmHWM')} MiB at the highest`);
        await eventually(
          `less than ${warmMib} + ${growthLimitMib} MiB`,
          () => memoryMib(pid) < warmMib + growthLimitMib,
          collectedMs,
        );
        assert.equal((await server.call('GET', '/readyz')).status, 200);
        assert.equal((await server.call('GET', canary)).body, before);
        await server.stop('SIGKILL');
        await server.start();
        assert.equal((await server.call('GET', canary)).body, before, 'after a restart');
        await server.stop();
      });
    });
  },
  (seconds + 300) * 1000,
);

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** What a few clients at once send, and what came of it. */
class Fuzz {
  readonly complaints: string[] = [];
  readonly statuses = new Map<number, number>();
  requests = 0;
  connections = 0;
  slowestMs = 0;
  readonly #server: ServerProcess;
  readonly #random: Random;
  readonly #next: FuzzRequests;
  #session: ClientHttp2Session | undefined;

  constructor(server: ServerProcess, random: Random) {
    this.#server = server;
    this.#random = random;
    this.#next = new FuzzRequests(random);
  }

  async run(until: number): Promise<void> {
    const client = async (): Promise<void> => {
      while (performance.now() < until && this.complaints.length < 10) await this.#step();
    };
    await Promise.all(Array.from({ length: clients }, client));
  }

  async #step(): Promise<void> {
    if (this.#random.chance(0.02)) return this.#breakConnection();
    const request = this.#next.next();
    const startedAt = performance.now();
    this.requests++;
    try {
      const answer = await (this.#random.chance(0.5) ? this.#overHttp1(request) : this.#overHttp2(request));
      this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
      const wrong = complaint(answer);
      if (wrong) this.complaints.push(`${wrong}\n${printRequest(request)}`);
    } catch (error) {
      this.complaints.push(`no answer: ${error}\n${printRequest(request)}`);
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
  }

  #overHttp1({ method, path, headers, body }: FuzzRequest): Promise<Answered> {
    return this.#server.call(method, path, body, { headers, signal: AbortSignal.timeout(hangMs) });
  }

  #overHttp2({ method, path, headers, body }: FuzzRequest): Promise<Answered> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = connectHttp2(`https://127.0.0.1:${this.#server.port}`, this.#server.credentials);
      this.#session.on('error', () => {});
    }
    const options = { endStream: body === undefined, signal: AbortSignal.timeout(hangMs) };
    const stream = this.#session.request({ ...headers, ':method': method, ':path': path }, options);
    return new Promise((resolve, reject) => {
      let status = 0;
      const chunks: Buffer[] = [];
      stream.on('response', (head) => (status = Number(head[':status'])));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => (status ? resolve({ status, body: Buffer.concat(chunks).toString() }) : reject(new Error('reset'))));
      stream.on('error', reject);
      if (body) stream.end(body);
    });
  }

  stop(): void {
    this.#session?.destroy();
  }

  /** Sends something that may be no request, and hangs up. */
  async #breakConnection(): Promise<void> {
    this.connections++;
    const random = this.#random;
    const opening = Buffer.from(random.pick(openings), 'latin1');
    const ALPNProtocols = [opening.includes('PRI') ? 'h2' : 'http/1.1'];
    const socket = connect({ ...this.#server.credentials, host: '127.0.0.1', port: this.#server.port, ALPNProtocols });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(random.chance(0.2) ? random.bytes(random.below(300)) : mutateBytes(random, opening));
    if (random.chance(0.5)) await Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed, sleep(100)]);
    if (random.chance(0.5)) socket.end();
    else socket.destroy();
    setTimeout(() => socket.destroy(), 200);
    await closed;
  }
}

function memoryMib(pid: number, figure: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  return Number(new RegExp(`${figure}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
