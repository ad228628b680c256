import { Duplex } from 'node:stream';
import type { SpdyHeaders } from './headers.ts';

/** What a stream needs of its connection. */
export interface StreamTransport {
  sendData(streamId: number, chunk: Buffer, done: (error?: Error | null) => void): void;
  sendFin(streamId: number): void;
  sendReset(streamId: number): void;
  sendReply(streamId: number, headers: SpdyHeaders): void;
  /** The reader has room again. */
  readable(stream: SpdyStream): void;
  /** Both directions have ended. */
  released(streamId: number): void;
}

const bufferBytes = 64 * 1024;

/** One stream of a SPDY connection. Ending it half-closes it; destroying it resets it. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Resolves with the other side's reply to a stream we have opened; rejects when it is refused or the connection is lost. */
  readonly replied: Promise<SpdyHeaders>;
  readonly #transport: StreamTransport;
  readonly #settle: { resolve(headers: SpdyHeaders): void; reject(error: Error): void };
  #remoteEnded = false;
  #reset = false;

  constructor(transport: StreamTransport, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes });
    this.#transport = transport;
    this.id = id;
    this.headers = headers;
    const { promise, resolve, reject } = Promise.withResolvers<SpdyHeaders>();
    // Most streams are never asked for their reply.
    promise.catch(() => {});
    this.replied = promise;
    this.#settle = { resolve, reject };
  }

  /** Accepts a stream the other side has opened. */
  accept(headers: SpdyHeaders = {}): void {
    this.#transport.sendReply(this.id, headers);
  }

  /** Data from the other side; false when the connection should wait. */
  receive(data: Buffer): boolean {
    return this.destroyed || this.#remoteEnded || this.push(data);
  }

  receiveFin(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    this.push(null);
    this.#releaseWhenDone();
  }

  receiveReply(headers: SpdyHeaders): void {
    this.#settle.resolve(headers);
  }

  /** The other side has reset the stream, or the connection is lost: nothing can be sent any more. */
  receiveReset(error: Error): void {
    this.#reset = true;
    this.#settle.reject(error);
    this.receiveFin();
    if (!this.writableFinished) this.destroy();
  }

  override _read(): void {
    this.#transport.readable(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#reset) callback();
    else this.#transport.sendData(this.id, chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#reset) this.#transport.sendFin(this.id);
    callback();
    this.#releaseWhenDone();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#reset && !(this.#remoteEnded && this.writableFinished)) this.#transport.sendReset(this.id);
    this.#settle.reject(error ?? new Error('the stream was closed'));
    this.#transport.released(this.id);
    callback(error);
  }

  #releaseWhenDone(): void {
    if (this.#remoteEnded && this.writableEnded) this.#transport.released(this.id);
  }
}
