import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, Http2Session } from 'node:http2';
import { type Duplex, Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { anonymous, type UserInfo } from '../auth/user.ts';
import { Closers } from './closers.ts';
import { type Exchange, type FlowIds, type Headers, header } from './exchange.ts';
import { type RequestBodies, tooLarge } from './request-bodies.ts';
import { parseRequestInfo, type RequestInfo } from './request-info.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type Connection = TLSSocket | Http2Session;

const auditIdPattern = /^[\w.-]+$/;
/** Longer ones are cut (apiserver: pkg/audit/context.go). */
const maxAuditIdLength = 64;

/** A request that came over a socket. */
export class SocketExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly remoteAddress: string;
  readonly clientCertificate: Uint8Array | undefined;
  readonly upgrade: { socket: Duplex; head: Uint8Array } | undefined;
  readonly auditId: string;
  readonly warnings = new Set<string>();
  info: RequestInfo;
  user: UserInfo = anonymous;
  flow: FlowIds | undefined;
  waitedMs = 0;
  isGivenUp = false;
  readonly #request: NodeRequest;
  readonly #bodies: RequestBodies;
  readonly #closers = new Closers();
  #bodyBytes = 0;

  constructor(request: NodeRequest, bodies: RequestBodies, upgrade?: { socket: Duplex; head: Uint8Array }) {
    const url = originForm(request.url ?? '/');
    const mark = url.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.headers = headersOf(request);
    const peer = peerOf(request);
    this.remoteAddress = peer.address;
    this.clientCertificate = peer.certificate;
    this.upgrade = upgrade;
    this.#request = request;
    this.#bodies = bodies;
    const given = header(this, 'audit-id');
    this.auditId = given && auditIdPattern.test(given) ? given.slice(0, maxAuditIdLength) : randomUUID();
    this.info = parseRequestInfo(this.method, this.path, this.query);
  }

  async readBody(limitBytes: number): Promise<Uint8Array> {
    const declared = header(this, 'content-length');
    const body = await this.#bodies.read(this.#request, {
      limitBytes,
      ...(declared === undefined ? {} : { declaredBytes: Number(declared) }),
      onRelease: (release) => this.onClose(release),
    });
    this.#bodyBytes = body.length;
    const pause = this.pauses();
    if (pause) await pause();
    return body;
  }

  pauses(bytes = 0): (() => Promise<void>) | undefined {
    return this.#bodies.turns.forWorkOn(Math.max(bytes, this.#bodyBytes));
  }

  bodyStream(): Readable | undefined {
    return hasBody(this.#request) ? this.#request : undefined;
  }

  onClose(listener: () => void): void {
    this.#closers.add(listener);
  }

  /** Called by the transport when all is over. */
  close(): void {
    this.#closers.close();
  }
}

/** What is asked for, without the server's own address, which clients may name as they do for proxies (RFC 9112, section 3.2.2). */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function hasBody(request: NodeRequest): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders;
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

/** Who is at the other end of a connection. */
interface Peer {
  readonly address: string;
  /** The certificate the peer gave, whoever signed it; that the peer has its key was checked by TLS. */
  readonly certificate: Uint8Array | undefined;
}

/** By connection: asking TLS for the certificate costs more than all the rest of reading a request. */
const peers = new WeakMap<Connection, Peer>();

/** What requests share that come over one connection. */
export function connectionOf(request: NodeRequest): Connection {
  return 'stream' in request && request.stream.session ? request.stream.session : (request.socket as TLSSocket);
}

function peerOf(request: NodeRequest): Peer {
  const connection = connectionOf(request);
  const known = peers.get(connection);
  if (known) return known;
  const socket = request.socket as TLSSocket;
  const peer = { address: socket.remoteAddress ?? '', certificate: socket.getPeerX509Certificate?.()?.raw };
  peers.set(connection, peer);
  return peer;
}

/** Headers that name users and their groups may be repeated, and their values hold commas: Node would join them to what nobody said. */
function headersOf(request: NodeRequest): Headers {
  const headers = request.headers as Headers;
  for (const name in headers) if (namesUsers(name)) return { ...headers, ...separated(request) };
  return headers;
}

const namesUsers = (header: string): boolean => header.startsWith('impersonate-') || header.startsWith('x-remote-');

function separated({ rawHeaders }: NodeRequest): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (namesUsers(name)) (values[name] ??= []).push(rawHeaders[i + 1]!);
  }
  return values;
}

/** A request without a socket: for tests and for callers in the same process. */
export class DirectExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly remoteAddress = '127.0.0.1';
  readonly clientCertificate: Uint8Array | undefined;
  readonly upgrade = undefined;
  readonly auditId = randomUUID();
  readonly warnings = new Set<string>();
  info: RequestInfo;
  user: UserInfo = anonymous;
  flow: FlowIds | undefined;
  waitedMs = 0;
  isGivenUp = false;
  readonly #body: Uint8Array;
  readonly #closers = new Closers();

  constructor(options: { method: string; url: string; headers?: Headers; body?: Uint8Array; clientCertificate?: Uint8Array }) {
    const mark = options.url.indexOf('?');
    this.method = options.method;
    this.path = mark < 0 ? options.url : options.url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : options.url.slice(mark + 1));
    this.headers = options.headers ?? {};
    this.clientCertificate = options.clientCertificate;
    this.#body = options.body ?? new Uint8Array();
    this.info = parseRequestInfo(this.method, this.path, this.query);
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    return this.#body.length > limitBytes ? Promise.reject(tooLarge(limitBytes)) : Promise.resolve(this.#body);
  }

  pauses(): undefined {}

  bodyStream(): Readable | undefined {
    return this.#body.length > 0 ? Readable.from([this.#body]) : undefined;
  }

  onClose(listener: () => void): void {
    this.#closers.add(listener);
  }

  close(): void {
    this.#closers.close();
  }
}
