import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
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
import type { Clock } from '../../lib/clock.ts';
import { errorChain, type Logger } from '../../lib/log.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import { anonymous } from '../auth/user.ts';
import { ChunkFrames } from './chunked-sink.ts';
import { Connections } from './connections.ts';
import { type FullAnswer, type Handler, isStream, isTakenOver, type Sink, type StreamAnswer } from './exchange.ts';
import { connectionOf, type NodeRequest, SocketExchange } from './incoming.ts';
import { type NodeResponse, refuseUpgrade, send, streamAndClose } from './outgoing.ts';
import { RequestBodies } from './request-bodies.ts';
import { memoryOf, UnsentAnswers } from './unsent-answers.ts';
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
  readonly clock: Clock;
  readonly metrics: MetricRegistry;
}

const maxHeaderBytes = 64 * 1024;
/** How long a client may take for its TLS handshake, and then for the headers of a request over HTTP/1.1 (more by the interval of looking). */
const handshakeTimeoutMs = 30_000;
const headersTimeoutMs = 30_000;
const headersCheckMs = 15_000;
/** After the answer, how long the rest of a body that nobody wants may go on coming. */
const lingerMs = 5_000;
/** A keep-alive connection without a request is closed after this long; clients reuse theirs far sooner. */
const idleConnectionMs = 3 * 60_000;
/** How long `stop` waits for answers on their way before it breaks connections. */
const graceMs = 2_000;
/** Of one HTTP/2 connection, at a time. */
const maxConcurrentStreams = 250;
/** All connections together; a cluster has a few for each node and each program that watches. */
const maxConnections = 4_096;

const plainHttpAnswer = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** HTTP/2 and HTTP/1.1 (for upgrades) on one TLS port. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #connections: Connections;
  readonly #bodies: RequestBodies;
  readonly #unsent = new UnsentAnswers();
  readonly #frames = new ChunkFrames();
  /** Answers that go on: watches, logs. They end when the server stops. */
  readonly #streams = new Set<Sink>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #handshakeErrors: { value: number };
  #server: Http2SecureServer | undefined;
  #forgetTls: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#connections = new Connections(() => options.clock.monotonicMs());
    this.#bodies = new RequestBodies(options.clock);
    this.#handshakeErrors = options.metrics.counter('apiserver_tls_handshake_errors_total', 'TLS handshakes that failed.').at([]);
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
      handshakeTimeout: handshakeTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: headersCheckMs,
      keepAliveTimeout: idleConnectionMs,
      settings: { maxConcurrentStreams, maxHeaderListSize: maxHeaderBytes },
    } as Parameters<typeof createSecureServer>[0]);
    server.maxConnections = maxConnections;
    server.on('request', (request, response) => this.#onRequest(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Uint8Array) => this.#onUpgrade(request, socket, head));
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      closeWhenIdle(session);
    });
    server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.setNoDelay(true);
    });
    server.on('sessionError', (error) => logger.debug('HTTP/2 session failed', { error: errorChain(error) }));
    server.on('secureConnection', readThroughStreams);
    server.on('tlsClientError', (error, socket) => this.#onTlsError(error, socket));
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
    const timer = setTimeout(() => this.#connections.breakAll(), graceMs);
    for (const stream of this.#streams) stream.end();
    for (const session of this.#sessions) session.close();
    (server as unknown as HttpServer).closeIdleConnections?.();
    await closed;
    clearTimeout(timer);
  }

  #onTlsError(error: Error, socket: TLSSocket): void {
    this.#handshakeErrors.value++;
    this.#options.logger.debug('TLS handshake failed', { error: errorChain(error) });
    // Who forgot the `s` of `https` learns it, as upstream has it (Go: net/http/server.go).
    if ('code' in error && error.code === 'ERR_SSL_HTTP_REQUEST') this.#connections.strangerOf(socket)?.end(plainHttpAnswer);
  }

  #onRequest(request: Http2ServerRequest | IncomingMessage, response: Http2ServerResponse | ServerResponse): void {
    const exchange = new SocketExchange(request, this.#bodies);
    response.once('close', () => exchange.close());
    response.on('error', () => exchange.close());
    Promise.resolve(this.#options.handler(exchange)).then(
      (answer) => {
        this.#meet(request, exchange);
        if (isTakenOver(answer)) return;
        const sink = this.#send(exchange, request, response, answer);
        if (sink) this.#streams.add(sink);
        sink?.onClose(() => this.#streams.delete(sink));
      },
      (error) => this.#fail(error, () => response.destroy()),
    );
  }

  #meet(request: NodeRequest, { user }: SocketExchange): void {
    if (user.name !== anonymous.name) this.#connections.trust(connectionOf(request));
  }

  #send(
    exchange: SocketExchange,
    request: NodeRequest,
    response: NodeResponse,
    answer: FullAnswer | StreamAnswer,
  ): Sink | undefined {
    if (!isStream(answer)) {
      const taken = this.#unsent.add(connectionOf(request), memoryOf(answer));
      exchange.onClose(() => whenTaken(request, taken));
    }
    const sink = send(response, answer, { method: request.method ?? 'GET', frames: this.#frames });
    if (!isComplete(request)) this.#endLateBody(request, response);
    return sink;
  }

  /** The answer goes out while the body still comes (it is too large, too slow, or not wanted): the client gets a moment to see it. */
  #endLateBody(request: NodeRequest, response: NodeResponse): void {
    const end = (): void => {
      if (isComplete(request)) return;
      if ('stream' in request) request.stream.close(constants.NGHTTP2_NO_ERROR);
      else request.socket.destroy();
    };
    // The response of HTTP/2 is finished only when the stream is closed.
    const sender = 'stream' in request ? request.stream : response;
    sender.once('finish', () => {
      request.resume();
      const cancel = this.#options.clock.after(lingerMs, end);
      request.once('end', cancel);
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const exchange = new SocketExchange(request, this.#bodies, { socket, head });
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
    this.#meet(request, exchange);
    if (isTakenOver(answer)) return;
    if (!isStream(answer)) refuseUpgrade(connection.socket, answer);
    else if (isWebSocket(request)) await streamOverWebSocket(request, connection, answer);
    else streamAndClose(connection.socket, answer);
  }

  #fail(error: unknown, abort: () => void): void {
    this.#options.logger.error('answering a request failed', { error: errorChain(error) });
    abort();
  }
}

/** An answer of HTTP/1.1 is closed when its socket has it all; that the client takes it shows when the socket is empty again. */
function whenTaken(request: NodeRequest, taken: () => void): void {
  const { socket } = request;
  if ('stream' in request || socket.destroyed || !socket.writableNeedDrain) taken();
  else socket.once('drain', taken).once('close', taken);
}

/** True when nothing more of the request is to come. `complete` of HTTP/2 speaks of the answer. */
function isComplete(request: NodeRequest): boolean {
  if (!('stream' in request)) return request.complete;
  const { stream } = request;
  return stream.endAfterHeaders || stream.readableEnded || stream.destroyed;
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
