import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { type DecodedPacket, decode, encode } from 'dns-packet';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import { type Handler, type Reply, runChain } from './handler.ts';
import { lengthOf, withId } from './handlers/forward.ts';

export interface DnsServerOptions {
  readonly address: string;
  readonly port: number;
  readonly handlers: readonly Handler[];
  readonly log: Logger;
}

/** Answers longer than this are cut on UDP, unless the client says it takes more; it then asks again over TCP. */
const plainUdpBytes = 512;
/** Larger datagrams would be fragmented on the pod network. */
const maxUdpBytes = 1232;
const maxTcpConnections = 64;
const tcpIdleMs = 10_000;

/** Answers DNS over UDP and TCP on one address. */
export function createDnsServer(options: DnsServerOptions): Component & { readonly boundPort: number } {
  return new DnsServer(options);
}

class DnsServer implements Component {
  readonly name = 'dns';
  readonly #options: DnsServerOptions;
  #udp: Socket | undefined;
  #tcp: Server | undefined;
  readonly #connections = new Set<TcpSocket>();

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** The port in use, for `port: 0` in tests. */
  get boundPort(): number {
    return this.#udp!.address().port;
  }

  async start(): Promise<void> {
    const { address, port } = this.#options;
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    this.#udp = udp;
    udp.on('message', (packet, from) => {
      void this.#answer(packet, 'udp').then((answer) => {
        if (answer && this.#udp) udp.send(answer, from.port, from.address);
      });
    });
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject).bind(port, address, () => resolve());
    });
    udp.removeAllListeners('error').on('error', (error) => this.#options.log.warn('the DNS socket reported an error', { error }));
    const tcp = createServer((socket) => this.#serve(socket));
    this.#tcp = tcp;
    tcp.maxConnections = maxTcpConnections;
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject).listen(udp.address().port, address, () => resolve());
    });
  }

  async stop(): Promise<void> {
    const udp = this.#udp;
    const tcp = this.#tcp;
    this.#udp = undefined;
    this.#tcp = undefined;
    for (const socket of this.#connections) socket.destroy();
    if (udp) await new Promise<void>((resolve) => udp.close(() => resolve()));
    if (tcp) await new Promise<void>((resolve) => tcp.close(() => resolve()));
  }

  #serve(socket: TcpSocket): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const packet = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + packet.length);
        void this.#answer(Buffer.from(packet), 'tcp').then((answer) => {
          if (answer && !socket.destroyed) socket.write(Buffer.concat([lengthOf(answer), answer]));
        });
      }
    });
  }

  /** The answer to a packet; undefined for what is no question: silence is what a forger deserves. */
  async #answer(packet: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    let query: DecodedPacket;
    try {
      query = decode(packet);
    } catch {
      return undefined;
    }
    const question = query.questions?.[0];
    if (query.type !== 'query' || !question) return undefined;
    try {
      return encodeReply(query, await runChain(this.#options.handlers, { question, packet, transport }), transport);
    } catch (error) {
      this.#options.log.error('a DNS question could not be answered', { name: question.name, error });
      return encodeReply(query, { rcode: 'SERVFAIL', authoritative: false, answers: [] }, transport);
    }
  }
}

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const authoritativeFlag = 1 << 10;
const recursionDesiredFlag = 1 << 8;
const recursionAvailableFlag = 1 << 7;
const truncatedFlag = 1 << 9;

function encodeReply(query: DecodedPacket, reply: Reply, transport: 'udp' | 'tcp'): Buffer {
  if ('packet' in reply) return withId(reply.packet, query.id ?? 0);
  const flags =
    (reply.authoritative ? authoritativeFlag : 0) |
    ((query.flags ?? 0) & recursionDesiredFlag) |
    recursionAvailableFlag |
    rcodes[reply.rcode];
  const head = { type: 'response' as const, id: query.id ?? 0, questions: query.questions ?? [] };
  const packet = encode({ ...head, flags, answers: [...reply.answers], authorities: [...(reply.authorities ?? [])] });
  if (transport === 'tcp' || packet.length <= udpLimit(query)) return packet;
  return encode({ ...head, flags: flags | truncatedFlag, answers: [] });
}

function udpLimit(query: DecodedPacket): number {
  const edns = query.additionals?.find((record) => record.type === 'OPT') as { udpPayloadSize?: number } | undefined;
  return Math.min(maxUdpBytes, Math.max(plainUdpBytes, edns?.udpPayloadSize ?? plainUdpBytes));
}
