import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Credentials, type CredentialsSource, credentialsOf } from './credentials.ts';

export interface TransportOptions {
  /** `https://host:port` */
  readonly server: string;
  /** PEM of the authorities the server's certificate must come from; the system's when absent. */
  readonly ca?: string;
  readonly credentials: CredentialsSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** The name the server's certificate must carry, when it differs from the host. */
  readonly serverName?: string;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A response that goes on: a watch. */
export interface StreamHandler {
  onResponse(status: number): void;
  onData(chunk: Buffer): void;
  /** Called once; undefined for a normal end. */
  onEnd(error: Error | undefined): void;
}

/** A request that gets no answer within this time fails, and the connection it was on is given up when nothing else came over it. */
const requestTimeoutMs = 30_000;
const connectTimeoutMs = 15_000;
/** Open watches bring a bookmark every minute: silence beyond that is checked with a ping. */
const pingAfterSilenceMs = 90_000;
const pingTimeoutMs = 15_000;
const reconnect = { initialMs: 200, maxMs: 10_000, jitter: 0.3 };
/** An answer to one request may be this large; a list is read in pages well below it. */
const maxBodyBytes = 256 * 1024 * 1024;

/** The server could not be reached, or the connection broke before the answer was complete. */
class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/**
 * One HTTP/2 connection to the API server, shared by all requests and watches of a client; opened when needed, opened again after it
 * broke, replaced when the client certificate was renewed. No timer runs while no request and no watch is open.
 */
export class Http2Transport {
  readonly #options: TransportOptions;
  readonly #backoff: Backoff;
  #session: ClientHttp2Session | undefined;
  #connecting: Promise<ClientHttp2Session> | undefined;
  #sessionCredentials: Credentials | undefined;
  #notBeforeMs = 0;
  #heardAtMs = 0;
  #openStreams = 0;
  readonly #openBySession = new WeakMap<ClientHttp2Session, number>();
  #cancelPing: (() => void) | undefined;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#backoff = new Backoff(reconnect);
  }

  /** Resolves with the complete answer, whatever its status. Rejects with a ConnectionError. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#requestOnce(request);
    } catch (error) {
      // The server closed the connection in the moment we used it; what it did not process may be sent again, and reading is always safe.
      if (!(error instanceof ConnectionError) || !(isUnprocessed(error) || (request.method === 'GET' && isReset(error))))
        throw error;
      return this.#requestOnce(request);
    }
  }

  /** Opens a stream of data. Returns the function that ends it; `onEnd` is then not called. */
  stream(request: HttpRequest, handler: StreamHandler): () => void {
    let ended = false;
    let stream: ClientHttp2Stream | undefined;
    const end = (error?: Error): void => {
      if (ended) return;
      ended = true;
      handler.onEnd(error);
    };
    this.#connect().then(
      (session) => {
        if (ended) return;
        const opened = this.#open(session, request);
        stream = opened;
        this.#openStreams++;
        this.#armPing();
        opened.on('response', (headers) => {
          this.#heard();
          if (!ended) handler.onResponse(Number(headers[':status']));
        });
        opened.on('data', (chunk: Buffer) => {
          this.#heard();
          if (!ended) handler.onData(chunk);
        });
        opened.on('error', (error) => end(broken('the watch was interrupted', error)));
        opened.on('close', () => {
          this.#openStreams--;
          if (this.#openStreams === 0) this.#cancelPing?.();
          end(opened.rstCode === http2.constants.NGHTTP2_NO_ERROR ? undefined : new ConnectionError('the watch was cut off'));
        });
        opened.end(request.body);
      },
      (error: Error) => end(error),
    );
    return () => {
      ended = true;
      stream?.close(http2.constants.NGHTTP2_CANCEL);
    };
  }

  /** Ends the connection; open requests fail. */
  close(): void {
    this.#closed = true;
    this.#cancelPing?.();
    this.#session?.destroy();
  }

  async #requestOnce(request: HttpRequest): Promise<HttpResponse> {
    const session = await this.#connect();
    return new Promise((resolve, reject) => {
      const startedAtMs = this.#options.clock.monotonicMs();
      const stream = this.#open(session, request);
      const chunks: Buffer[] = [];
      let size = 0;
      let headers: IncomingHttpHeaders = {};
      const cancelTimer = this.#options.clock.after(requestTimeoutMs, () => {
        const error = new ConnectionError(
          `the API server did not answer ${request.method} ${request.path} within ${requestTimeoutMs / 1000} s`,
        );
        stream.close(http2.constants.NGHTTP2_CANCEL);
        if (this.#heardAtMs < startedAtMs) session.destroy(error);
        reject(error);
      });
      stream.on('response', (received) => {
        this.#heard();
        headers = received;
      });
      stream.on('data', (chunk: Buffer) => {
        this.#heard();
        size += chunk.length;
        if (size > maxBodyBytes) stream.destroy(new Error(`the answer is larger than ${maxBodyBytes} bytes`));
        else chunks.push(chunk);
      });
      stream.on('error', (error) => {
        cancelTimer();
        reject(broken(`${request.method} ${request.path} was interrupted`, error));
      });
      stream.on('close', () => {
        cancelTimer();
        const status = Number(headers[':status'] ?? 0);
        if (status === 0)
          reject(new ConnectionError(`the connection closed before ${request.method} ${request.path} was answered`));
        else resolve({ status, headers, body: Buffer.concat(chunks) });
      });
      stream.end(request.body);
    });
  }

  #open(session: ClientHttp2Session, { method, path, headers, body }: HttpRequest): ClientHttp2Stream {
    const token = this.#sessionCredentials?.token;
    const all = { ':method': method, ':path': path, ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers };
    try {
      const stream = session.request(all, { endStream: body === undefined && method === 'GET' });
      this.#keepAlive(session, stream);
      return stream;
    } catch (error) {
      throw broken('the connection is closing', error);
    }
  }

  /** The process stays alive while something is under way, not for the connection alone. */
  #keepAlive(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    const open = (this.#openBySession.get(session) ?? 0) + 1;
    this.#openBySession.set(session, open);
    if (open === 1) session.ref();
    stream.once('close', () => {
      const left = (this.#openBySession.get(session) ?? 1) - 1;
      this.#openBySession.set(session, left);
      if (left === 0 && !session.destroyed) session.unref();
    });
  }

  /** The connection, with the credentials of now. */
  async #connect(): Promise<ClientHttp2Session> {
    if (this.#closed) throw new ConnectionError('the client is closed');
    const credentials = credentialsOf(this.#options.credentials);
    const session = this.#session;
    const usable = session && !session.closed && !session.destroyed;
    if (usable && credentials.certificate === this.#sessionCredentials?.certificate) {
      this.#sessionCredentials = credentials;
      return session;
    }
    // A renewed certificate needs a new connection; watches on the old one live on until they end by themselves.
    if (usable) session.close();
    this.#connecting ??= this.#dial(credentials).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #dial(credentials: Credentials): Promise<ClientHttp2Session> {
    const { clock, server, log } = this.#options;
    const waitMs = this.#notBeforeMs - clock.monotonicMs();
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    try {
      const session = await this.#openSession(credentials);
      this.#session = session;
      this.#sessionCredentials = credentials;
      this.#backoff.reset();
      return session;
    } catch (error) {
      this.#notBeforeMs = clock.monotonicMs() + this.#backoff.next();
      log.debug('connecting to the API server failed', { server, error });
      throw broken(`cannot reach the API server at ${server}`, error);
    }
  }

  #openSession({ certificate, key }: Credentials): Promise<ClientHttp2Session> {
    const { server, ca, serverName } = this.#options;
    return new Promise((resolve, reject) => {
      const session = http2.connect(server, {
        ...(ca ? { ca } : {}),
        ...(certificate && key ? { cert: certificate, key } : {}),
        ...(serverName ? { servername: serverName } : {}),
        settings: { enablePush: false },
      });
      const cancelTimer = this.#options.clock.after(connectTimeoutMs, () =>
        session.destroy(new Error('no answer to the connection attempt')),
      );
      session.once('connect', (_, socket) => {
        cancelTimer();
        this.#heard();
        // An idle connection must not keep the process alive.
        (socket as TLSSocket).setKeepAlive(true, 60_000);
        session.unref();
        resolve(session);
      });
      session.on('error', (error) => {
        cancelTimer();
        reject(error);
      });
      session.on('close', () => {
        cancelTimer();
        reject(new Error('the connection was closed'));
      });
    });
  }

  #heard(): void {
    this.#heardAtMs = this.#options.clock.monotonicMs();
  }

  #armPing(): void {
    this.#cancelPing?.();
    const silentMs = this.#options.clock.monotonicMs() - this.#heardAtMs;
    this.#cancelPing = this.#options.clock.after(Math.max(0, pingAfterSilenceMs - silentMs), () => this.#checkSilence());
  }

  /** The peer may have gone without a word (power cut, a changed network): no answer to a ping ends the connection. */
  #checkSilence(): void {
    const session = this.#session;
    if (!session || session.destroyed || this.#openStreams === 0) return;
    if (this.#options.clock.monotonicMs() - this.#heardAtMs < pingAfterSilenceMs) {
      this.#armPing();
      return;
    }
    const cancelTimer = this.#options.clock.after(pingTimeoutMs, () => session.destroy(new Error('the API server went silent')));
    session.ping((error) => {
      cancelTimer();
      if (error) return;
      this.#heard();
      this.#armPing();
    });
  }
}

function broken(what: string, cause: unknown): ConnectionError {
  return cause instanceof ConnectionError ? cause : new ConnectionError(what, { cause });
}

function codeOf(error: ConnectionError): string {
  return String((error.cause as { code?: string } | undefined)?.code ?? '');
}

function isUnprocessed(error: ConnectionError): boolean {
  const message = error.cause instanceof Error ? error.cause.message : '';
  return (
    codeOf(error) === 'ERR_HTTP2_GOAWAY_SESSION' ||
    codeOf(error) === 'ERR_HTTP2_INVALID_SESSION' ||
    message.includes('REFUSED_STREAM')
  );
}

function isReset(error: ConnectionError): boolean {
  return codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE' || error.cause === undefined;
}
