import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { Call } from './call.ts';
import type { Codec } from './codec.ts';
import type { ApiDescriptor, Input } from './descriptor.ts';
import { frame } from './framing.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';

type MethodTable<Methods> = { readonly [Path in keyof Methods]: { readonly request: unknown; readonly response: unknown } };
export type Metadata = Readonly<Record<string, string>>;

export interface CallOptions {
  /** After this the call is given up with `deadlineExceeded`. The server is told too. */
  readonly timeoutMs: number;
  readonly metadata?: Metadata;
}

export interface StreamHandlers<Response> {
  onMessage(message: Response): void;
  /** Called once when the other side ends the stream or the connection is lost, not after cancelling. */
  onEnd(error: GrpcError | undefined): void;
}

/** A call in which both sides send messages. */
export interface DuplexCall<Request> {
  send(message: Input<Request>): void;
  /** No further message follows. */
  finish(): void;
  cancel(): void;
}

/** How many bytes the other side may send ahead of us on one stream. */
const streamWindowBytes = 1024 * 1024;

/**
 * A gRPC client for one unix socket. It connects at the first call and again at the first call after the connection was lost or the
 * server said GOAWAY; calls are not repeated. Calls that cannot be sent reject with status `unavailable`.
 */
export class GrpcClient<Methods extends MethodTable<Methods>, Messages> {
  readonly #socketPath: string;
  readonly #descriptor: ApiDescriptor<Methods, Messages>;
  readonly #codec: Codec<Methods, Messages>;
  readonly #metadata: Metadata;
  readonly #onDisconnect: (() => void) | undefined;
  #session: ClientHttp2Session | undefined;
  #closed = false;

  constructor(options: {
    readonly socketPath: string;
    readonly descriptor: ApiDescriptor<Methods, Messages>;
    readonly codec: Codec<Methods, Messages>;
    readonly metadata?: Metadata;
    /** Told when an established connection is lost, not after `close`. */
    readonly onDisconnect?: () => void;
  }) {
    this.#socketPath = options.socketPath;
    this.#descriptor = options.descriptor;
    this.#codec = options.codec;
    this.#metadata = options.metadata ?? {};
    this.#onDisconnect = options.onDisconnect;
  }

  /** One request, one answer. Rejects with GrpcError. */
  unary<Path extends keyof Methods & string>(
    path: Path,
    request: Input<Methods[Path]['request']>,
    options: CallOptions,
  ): Promise<Methods[Path]['response']> {
    return new Promise((resolve, reject) => {
      const late = (): GrpcError =>
        new GrpcError(grpcStatus.deadlineExceeded, `no answer within ${options.timeoutMs / 1000} s`, path);
      const deadlineAt = performance.now() + options.timeoutMs;
      let answer: Buffer | undefined;
      const call = this.#open(path, options, {
        onMessage: (message) => {
          answer = message;
        },
        onEnd: (error) => {
          clearTimeout(deadline);
          // The server ends a late call in words of its own, which may come before our timer runs.
          if (error) reject(performance.now() < deadlineAt ? error : late());
          else if (answer) resolve(this.#decode(path, answer));
          else reject(new GrpcError(grpcStatus.internal, 'an answer without a message', path));
        },
      });
      const deadline = setTimeout(() => {
        call.cancel();
        reject(late());
      }, options.timeoutMs);
      call.write(this.#encode(path, request));
      call.finish();
    });
  }

  /** One request, a stream of answers without a time limit. Returns the function that cancels it. */
  serverStream<Path extends keyof Methods & string>(
    path: Path,
    request: Input<Methods[Path]['request']>,
    handlers: StreamHandlers<Methods[Path]['response']>,
  ): () => void {
    const call = this.duplex(path, handlers);
    call.send(request);
    call.finish();
    return () => call.cancel();
  }

  /** A stream of requests and a stream of answers without a time limit. */
  duplex<Path extends keyof Methods & string>(
    path: Path,
    handlers: StreamHandlers<Methods[Path]['response']>,
    metadata: Metadata = {},
  ): DuplexCall<Methods[Path]['request']> {
    const call = this.#open(
      path,
      { metadata },
      {
        onMessage: (message) => handlers.onMessage(this.#decode(path, message)),
        onEnd: (error) => handlers.onEnd(error),
      },
    );
    return {
      send: (message) => call.write(this.#encode(path, message)),
      finish: () => call.finish(),
      cancel: () => call.cancel(),
    };
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#closed = true;
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open(path: string, options: Partial<CallOptions>, handlers: ConstructorParameters<typeof Call>[2]): Call {
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': `/${path}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'skiff',
      ...(options.timeoutMs === undefined ? {} : { 'grpc-timeout': grpcTimeout(options.timeoutMs) }),
      ...this.#metadata,
      ...options.metadata,
    });
    return new Call(stream, path, handlers);
  }

  #connected(): ClientHttp2Session {
    if (this.#closed) throw new GrpcError(grpcStatus.unavailable, 'the client is closed', this.#socketPath);
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect('http://localhost', {
      createConnection: () => connectSocket(this.#socketPath),
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    let established = false;
    session.on('connect', () => {
      established = true;
    });
    session.on('goaway', () => this.#forget(session));
    // Every stream of a failed session reports the error; here it only must not go unhandled.
    session.on('error', () => this.#forget(session));
    session.on('close', () => {
      this.#forget(session);
      if (established && !this.#closed) this.#onDisconnect?.();
    });
    this.#session = session;
    return session;
  }

  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }

  #encode<Path extends keyof Methods & string>(path: Path, message: unknown): Buffer {
    const name = this.#descriptor.methods[path][0];
    return frame(this.#codec.encode(name, message as Input<Messages[typeof name]>));
  }

  #decode<Path extends keyof Methods & string>(path: Path, message: Buffer): Methods[Path]['response'] {
    return this.#codec.decode(this.#descriptor.methods[path][1], message);
  }
}

/** gRPC allows eight digits: beyond 27 hours in milliseconds, seconds are used. */
function grpcTimeout(timeoutMs: number): string {
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return ms < 100_000_000 ? `${ms}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`;
}
