import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { FrameReader } from './framing.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';

export interface CallHandlers {
  onMessage(message: Buffer): void;
  /** Called exactly once; `error` is undefined for status OK. Not called after `cancel`. */
  onEnd(error: GrpcError | undefined): void;
}

/** One gRPC call on an HTTP/2 stream: frames in, status out. */
export class Call {
  readonly #stream: ClientHttp2Stream;
  readonly #method: string;
  readonly #handlers: CallHandlers;
  #headers: IncomingHttpHeaders = {};
  #trailers: IncomingHttpHeaders = {};
  #ended = false;

  constructor(stream: ClientHttp2Stream, method: string, handlers: CallHandlers) {
    this.#stream = stream;
    this.#method = method;
    this.#handlers = handlers;
    const reader = new FrameReader((message) => {
      if (!this.#ended) handlers.onMessage(message);
    });
    stream.on('response', (headers) => {
      this.#headers = headers;
    });
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.#receive(reader, chunk));
    stream.on('error', (cause) => {
      // A stream that never got a connection only says so; why is in its cause.
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
      this.#end(new GrpcError(grpcStatus.unavailable, reason, method, { cause }));
    });
    stream.on('end', () => this.#end(this.#status(reader.incomplete)));
    stream.on('close', () => this.#end(this.#closed()));
  }

  /** Sends bytes that are already framed. `flushed` is called when the next may follow. */
  write(framed: Buffer, flushed?: () => void): void {
    this.#stream.write(framed, flushed && (() => flushed()));
  }

  /** No further message follows. */
  finish(): void {
    this.#stream.end();
  }

  /** Lets go of the call; the server sees it as cancelled. `onEnd` is not called any more. */
  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #receive(reader: FrameReader, chunk: Buffer): void {
    if (this.#ended) return;
    try {
      reader.push(chunk);
    } catch (cause) {
      this.#end(new GrpcError(grpcStatus.internal, (cause as Error).message, this.#method, { cause }));
      this.#stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  /** The status is in the trailers, or in the headers when the server had nothing else to say (trailers-only). */
  #status(incomplete: boolean): GrpcError | undefined {
    const status = this.#trailers['grpc-status'] ?? this.#headers['grpc-status'];
    if (status === undefined) {
      const answer = this.#headers[':status'];
      return this.#error(
        grpcStatus.unavailable,
        answer === undefined || Number(answer) === 200 ? 'the connection ended before the answer' : `HTTP status ${answer}`,
      );
    }
    const text = this.#trailers['grpc-message'] ?? this.#headers['grpc-message'] ?? '';
    if (Number(status) !== grpcStatus.ok) return this.#error(Number(status), percentDecode(String(text)));
    return incomplete ? this.#error(grpcStatus.internal, 'the answer ends inside a message') : undefined;
  }

  #closed(): GrpcError {
    const code = this.#stream.rstCode;
    return this.#error(grpcStatus.unavailable, code ? `the stream was reset (HTTP/2 code ${code})` : 'the connection was closed');
  }

  #error(code: number, details: string): GrpcError {
    return new GrpcError(code, details, this.#method);
  }

  #end(error: GrpcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.onEnd(error);
  }
}

/** gRPC sends the status text percent-encoded; a text that is not well encoded is taken as it is. */
function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
