import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { decode } from 'dns-packet';
import type { Clock } from '../../lib/clock.ts';
import type { Handler, Query, Reply } from '../handler.ts';

export interface ForwardOptions {
  /** Addresses of resolvers, `ip` or `ip#port`, asked in turn until one answers. Read anew for every question that is not cached. */
  readonly upstreams: () => readonly string[];
  readonly clock: Clock;
}

/** A resolver that is silent for this long is passed over. */
const upstreamTimeoutMs = 2_000;
/** Questions waiting for resolvers at the same time; more are answered SERVFAIL, and the client asks again. */
const maxInFlight = 256;
/** Answers remembered, and for how long at most: long enough to spare the resolver bursts, short enough to notice changes. */
const maxCached = 2_000;
const maxCacheMs = 30_000;
/** An answer over TCP can be this long. */
const maxAnswerBytes = 65_535;

interface Cached {
  readonly packet: Buffer;
  readonly untilMs: number;
}

/** Passes questions on to the node's own resolvers and remembers the answers for a short while. */
export function createForwardHandler({ upstreams, clock }: ForwardOptions): Handler {
  const cache = new Map<string, Cached>();
  let inFlight = 0;
  return async (query) => {
    const key = `${query.question.type} ${query.question.name.toLowerCase()} ${query.transport}`;
    const known = cache.get(key);
    if (known && known.untilMs > clock.monotonicMs()) return { packet: known.packet };
    cache.delete(key);
    if (inFlight >= maxInFlight) return failure;
    inFlight++;
    try {
      const packet = await ask(query, upstreams());
      if (!packet) return failure;
      const lifeMs = cacheableMs(packet);
      if (lifeMs > 0) {
        if (cache.size >= maxCached) cache.delete(cache.keys().next().value!);
        cache.set(key, { packet, untilMs: clock.monotonicMs() + lifeMs });
      }
      return { packet };
    } finally {
      inFlight--;
    }
  };
}

const failure: Reply = { rcode: 'SERVFAIL', authoritative: false, answers: [] };

async function ask(query: Query, upstreams: readonly string[]): Promise<Buffer | undefined> {
  for (const upstream of upstreams) {
    const [host, port] = upstream.split('#');
    const send = query.transport === 'udp' ? askUdp : askTcp;
    const answer = await send(query.packet, host!, port ? Number(port) : 53);
    if (answer) return answer;
  }
  return undefined;
}

/** A fresh socket, and so a fresh port, and a random id per question: answers are hard to forge. */
function askUdp(packet: Buffer, host: string, port: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const done = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => done(undefined), upstreamTimeoutMs);
    const question = withId(packet, randomInt(0x10000));
    socket.on('error', () => done(undefined));
    socket.on('message', (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === question.readUInt16BE(0)) done(answer);
    });
    // Connected: answers of anybody else are dropped by the kernel.
    socket.connect(port, host, () => socket.send(question));
  });
}

function askTcp(packet: Buffer, host: string, port: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const chunks: Buffer[] = [];
    const done = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(undefined), upstreamTimeoutMs);
    socket.on('error', () => done(undefined));
    socket.on('close', () => done(undefined));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length > maxAnswerBytes + 2) done(undefined);
      else if (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) done(all.subarray(2, 2 + all.readUInt16BE(0)));
    });
    socket.write(Buffer.concat([lengthOf(packet), packet]));
  });
}

/** The two bytes that precede a packet on TCP. */
export function lengthOf(packet: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return length;
}

/** A copy of a packet under another id. */
export function withId(packet: Buffer, id: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** The shortest life among the records; 0 for failures, which should be asked again. */
function cacheableMs(packet: Buffer): number {
  try {
    const answer = decode(packet) as ReturnType<typeof decode> & { rcode?: string };
    if (answer.rcode !== 'NOERROR' && answer.rcode !== 'NXDOMAIN') return 0;
    const ttls = [...(answer.answers ?? []), ...(answer.authorities ?? [])].flatMap((record) =>
      'ttl' in record && record.ttl !== undefined ? [record.ttl] : [],
    );
    return ttls.length === 0 ? 0 : Math.min(maxCacheMs, Math.min(...ttls) * 1000);
  } catch {
    return 0;
  }
}
