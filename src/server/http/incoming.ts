import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, Http2Session } from 'node:http2';
import { type Duplex, Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { badRequest, StatusError } from '../../api/status-error.ts';
import { anonymous, type UserInfo } from '../auth/user.ts';
import { type Exchange, type Headers, header } from './exchange.ts';
import { parseRequestInfo, type RequestInfo } from './request-info.ts';

type NodeRequest = IncomingMessage | Http2ServerRequest;

const auditIdPattern = /^[\w.-]{1,64}$/;

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
  readonly #request: NodeRequest;
  readonly #closers: (() => void)[] = [];
  #closed = false;

  constructor(request: NodeRequest, upgrade?: { socket: Duplex; head: Uint8Array }) {
    const url = request.url ?? '/';
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
    const given = header(this, 'audit-id');
    this.auditId = given && auditIdPattern.test(given) ? given : randomUUID();
    this.info = parseRequestInfo(this.method, this.path, this.query);
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    return collect(this.#request, limitBytes);
  }

  bodyStream(): Readable {
    return this.#request;
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closers.push(listener);
  }

  /** Called by the transport when all is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#closers) listener();
  }
}

/** Who is at the other end of a connection. */
interface Peer {
  readonly address: string;
  /** The certificate the peer gave, whoever signed it; that the peer has its key was checked by TLS. */
  readonly certificate: Uint8Array | undefined;
}

/** By connection: asking TLS for the certificate costs more than all the rest of reading a request. */
const peers = new WeakMap<TLSSocket | Http2Session, Peer>();

function peerOf(request: NodeRequest): Peer {
  const connection = 'stream' in request && request.stream.session ? request.stream.session : (request.socket as TLSSocket);
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

/** The whole body of a request; rejects with StatusError 413 as soon as it is too large. */
export function collect(stream: Readable, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) {
        stream.pause();
        stream.removeAllListeners('data');
        reject(tooLarge(limitBytes));
        // What still comes is read and thrown away, so that the answer can be received.
        stream.resume();
        return;
      }
      chunks.push(chunk);
    });
    stream.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    stream.on('error', () => reject(badRequest('the request body ended before it was complete')));
    stream.on('aborted', () => reject(badRequest('the request body ended before it was complete')));
  });
}

function tooLarge(limitBytes: number): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${limitBytes}`,
    details: {},
  });
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
  readonly #body: Uint8Array;
  readonly #closers: (() => void)[] = [];
  #closed = false;

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

  bodyStream(): Readable {
    return Readable.from([this.#body]);
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener();
    else this.#closers.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#closers) listener();
  }
}
