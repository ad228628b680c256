import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { errorChain, type Logger } from '../../lib/log.ts';
import { type Handler, isStream, isTakenOver, type Sink } from './exchange.ts';
import { SocketExchange } from './incoming.ts';
import { collectStream, refuseUpgrade, send } from './outgoing.ts';
import { isWebSocket, streamOverWebSocket } from './websocket-stream.ts';

/**
 * What the server shows, and the CAs whose client certificates are looked at (one after the other: of clients, of front proxies).
 * Authenticators decide what a certificate is worth.
 */
export interface TlsMaterial {
  current(): { readonly certificatePem: string; readonly keyPem: string; readonly clientCaPem: string };
  /** Called when certificates have been renewed; new connections then get the new ones. */
  onChange(listener: () => void): () => void;
}

export interface ListenerOptions {
  readonly tls: TlsMaterial;
  readonly host?: string | undefined;
  /** 0 = any free port. */
  readonly port: number;
  readonly handler: Handler;
  readonly logger: Logger;
}

const maxHeaderBytes = 64 * 1024;
const headersTimeoutMs = 30_000;
/** A keep-alive connection without a request is closed after this long; clients reuse theirs far sooner. */
const idleConnectionMs = 3 * 60_000;
/** How long `stop` waits for answers on their way before it breaks connections. */
const graceMs = 2_000;
const maxConcurrentStreams = 250;

/** HTTP/2 and HTTP/1.1 (for upgrades) on one TLS port. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  /** Answers that go on: watches, logs. They end when the server stops. */
  readonly #streams = new Set<Sink>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2SecureServer | undefined;
  #forgetTls: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? this.#options.port;
  }

  async start(): Promise<void> {
    const { tls, logger, host, port } = this.#options;
    const server = createSecureServer({
      ...secureOptions(tls),
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: maxHeaderBytes,
      settings: { maxConcurrentStreams },
    } as Parameters<typeof createSecureServer>[0]);
    (server as unknown as HttpServer).headersTimeout = headersTimeoutMs;
    (server as unknown as HttpServer).keepAliveTimeout = idleConnectionMs;
    server.on('request', (request, response) => this.#onRequest(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => this.#onUpgrade(request, socket, head));
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      closeWhenIdle(session);
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('sessionError', (error) => logger.debug('HTTP/2 session failed', { error: errorChain(error) }));
    server.on('secureConnection', readThroughStreams);
    server.on('tlsClientError', (error) => logger.debug('TLS handshake failed', { error: errorChain(error) }));
    this.#forgetTls = tls.onChange(() => server.setSecureContext(secureOptions(tls)));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error): void => reject(listenError(error, port));
      server.once('error', refuse);
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.removeListener('error', refuse);
        server.on('error', (error) => logger.error('listening socket failed', { error: errorChain(error) }));
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#forgetTls?.();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const timer = setTimeout(() => this.#breakAll(), graceMs);
    for (const stream of this.#streams) stream.end();
    for (const session of this.#sessions) session.close();
    (server as unknown as HttpServer).closeIdleConnections?.();
    await closed;
    clearTimeout(timer);
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #onRequest(request: Http2ServerRequest | IncomingMessage, response: Http2ServerResponse | ServerResponse): void {
    const exchange = new SocketExchange(request);
    response.once('close', () => exchange.close());
    response.on('error', () => exchange.close());
    Promise.resolve(this.#options.handler(exchange)).then(
      (answer) => {
        if (isTakenOver(answer)) return;
        const sink = send(response, answer, exchange.method);
        if (sink) this.#streams.add(sink);
        sink?.onClose(() => this.#streams.delete(sink));
      },
      (error) => this.#fail(error, () => response.destroy()),
    );
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const exchange = new SocketExchange(request, { socket, head });
    socket.on('error', () => exchange.close());
    socket.once('close', () => exchange.close());
    this.#answerUpgrade(request, exchange, { socket, head }).catch((error) => this.#fail(error, () => socket.destroy()));
  }

  async #answerUpgrade(
    request: IncomingMessage,
    exchange: SocketExchange,
    connection: { socket: Duplex; head: Uint8Array },
  ): Promise<void> {
    const answer = await this.#options.handler(exchange);
    if (isTakenOver(answer)) return;
    if (!isStream(answer)) refuseUpgrade(connection.socket, answer);
    else if (isWebSocket(request)) await streamOverWebSocket(request, connection, answer);
    else collectStream(answer, (body) => refuseUpgrade(connection.socket, { ...answer, parts: [body] }));
  }

  #fail(error: unknown, abort: () => void): void {
    this.#options.logger.error('answering a request failed', { error: errorChain(error) });
    abort();
  }
}

function secureOptions(tls: TlsMaterial): { cert: string; key: string; ca: string } {
  const { certificatePem, keyPem, clientCaPem } = tls.current();
  return { cert: certificatePem, key: keyPem, ca: clientCaPem };
}

/**
 * Node.js hands what TLS decrypts directly to its HTTP/1 parser, all records of one read, also when the parser was paused by the first of them
 * because an answer is still on its way out; then it breaks the connection (`HPE_PAUSED`). Read through the stream, a pause is kept. Somebody who
 * listens for data makes it read so.
 */
function readThroughStreams(socket: TLSSocket): void {
  if (socket.alpnProtocol === 'h2') return;
  const listener = (): void => {};
  socket.on('data', listener);
  socket.off('data', listener);
}

/** A connection that carries no stream and no traffic is let go. */
function closeWhenIdle(session: ServerHttp2Session): void {
  let open = 0;
  session.on('stream', (stream: ServerHttp2Stream) => {
    open++;
    stream.once('close', () => open--);
  });
  session.setTimeout(idleConnectionMs, () => {
    if (open === 0) session.close();
  });
}

function listenError(error: Error, port: number): Error {
  const inUse = 'code' in error && error.code === 'EADDRINUSE';
  const hint = inUse
    ? `port ${port} is taken: is another Kubernetes server running here? Stop it or choose another port`
    : `cannot listen on port ${port}`;
  return new Error(hint, { cause: error });
}
