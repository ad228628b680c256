import type { Duplex } from 'node:stream';
import { controlFrame, dataFrameHead, type Frame, FrameParser, frameType, maxFrameBytes, words } from './frames.ts';
import { HeaderReader, HeaderWriter, type SpdyHeaders } from './headers.ts';
import { SpdyStream, type StreamTransport } from './stream.ts';

/** More streams than this at once are refused; port-forward opens two per client connection. */
const maxStreams = 1024;
const protocolError = 1;
const refusedStream = 3;
const cancelled = 5;
const streamIdMask = 0x7fff_ffff;

export interface SpdyConnectionOptions {
  /** The upgraded connection. */
  readonly socket: Duplex;
  /** What the HTTP parser had read beyond the upgrade. */
  readonly head?: Buffer;
  readonly role: 'client' | 'server';
  /** The other side has opened a stream: `accept()` or `destroy()` it. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** Called once, with the reason when it was a failure. All streams have ended then. */
  readonly onClose?: (error?: Error) => void;
}

/**
 * SPDY/3.1 as Kubernetes speaks it for exec, attach and port-forward: no flow control windows (the Go library has none; TCP's
 * back-pressure works for the connection as a whole), no priorities.
 */
export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #parser = new FrameParser();
  readonly #headerWriter = new HeaderWriter();
  readonly #headerReader = new HeaderReader();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  readonly #transport: StreamTransport;
  #nextId: number;
  #handling = false;
  #inputEnded = false;
  #closed = false;

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.#transport = this.#createTransport();
    const socket = options.socket;
    socket.on('data', (chunk: Buffer) => this.#input(chunk));
    socket.on('error', (error) => this.#close(error));
    socket.on('end', () => this.#inputEnd());
    socket.on('close', () => this.#inputEnd());
    if (options.head && options.head.length > 0) this.#input(options.head);
  }

  /** Opens a stream. It can be written at once; `replied` tells whether the other side takes it. */
  open(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream(this.#transport, id, headers);
    this.#streams.set(id, stream);
    // Priority and credential slot are zero.
    const body = Buffer.concat([words(id, 0), Buffer.alloc(2), this.#headerWriter.encode(headers)]);
    this.#write(controlFrame(frameType.synStream, false, body));
    return stream;
  }

  /** Ends the connection after what has been written. */
  close(): void {
    if (this.#closed) return;
    this.#write(controlFrame(frameType.goAway, false, words(0, 0)));
    this.#socket.end();
  }

  #createTransport(): StreamTransport {
    return {
      sendData: (id, chunk, done) => this.#sendData(id, chunk, done),
      sendFin: (id) => this.#write(dataFrameHead(id, 0, true)),
      sendReset: (id) => this.#write(controlFrame(frameType.rstStream, false, words(id, cancelled))),
      sendReply: (id, headers) => {
        const body = Buffer.concat([words(id), this.#headerWriter.encode(headers)]);
        this.#write(controlFrame(frameType.synReply, false, body));
      },
      readable: (stream) => {
        if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
      },
      released: (id) => {
        const stream = this.#streams.get(id);
        this.#streams.delete(id);
        if (stream?.destroyed) this.#transport.readable(stream);
      },
    };
  }

  #sendData(id: number, chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#closed) {
      done();
      return;
    }
    for (let offset = 0; offset < chunk.length; offset += maxFrameBytes) {
      const piece = chunk.subarray(offset, offset + maxFrameBytes);
      this.#socket.write(dataFrameHead(id, piece.length, false));
      // An error of the connection reaches every stream through #close.
      this.#socket.write(piece, offset + maxFrameBytes < chunk.length ? undefined : () => done());
    }
  }

  #write(frame: Buffer): void {
    if (!this.#closed && this.#socket.writable) this.#socket.write(frame);
  }

  #input(chunk: Buffer): void {
    this.#parser.push(chunk);
    if (!this.#handling) void this.#handleFrames();
  }

  #inputEnd(): void {
    this.#inputEnded = true;
    if (!this.#handling) this.#close();
  }

  /** Frames are handled strictly one after the other, since header blocks are decompressed asynchronously. */
  async #handleFrames(): Promise<void> {
    this.#handling = true;
    try {
      for (let frame = this.#parser.next(); frame && !this.#closed; frame = this.#parser.next()) {
        if (frame.kind === 'data') this.#handleData(frame);
        else await this.#handleControl(frame);
      }
    } catch (error) {
      this.#close(error as Error);
    }
    this.#handling = false;
    if (this.#inputEnded) this.#close();
  }

  #handleData(frame: Extract<Frame, { kind: 'data' }>): void {
    const stream = this.#streams.get(frame.streamId);
    if (!stream) return;
    if (frame.payload.length > 0 && !stream.receive(Buffer.from(frame.payload))) {
      this.#full.add(stream);
      this.#socket.pause();
    }
    if (frame.fin) stream.receiveFin();
  }

  async #handleControl(frame: Extract<Frame, { kind: 'control' }>): Promise<void> {
    const { payload } = frame;
    switch (frame.type) {
      case frameType.synStream:
        await this.#handleSynStream(payload.readUInt32BE(0) & streamIdMask, payload.subarray(10), frame.fin);
        break;
      case frameType.synReply:
        await this.#handleReply(payload.readUInt32BE(0) & streamIdMask, payload.subarray(4), frame.fin);
        break;
      case frameType.headers:
        // They mean nothing to Kubernetes, but belong to the compressed stream.
        await this.#headerReader.decode(payload.subarray(4));
        break;
      case frameType.rstStream:
        this.#handleReset(payload.readUInt32BE(0) & streamIdMask, payload.readUInt32BE(4));
        break;
      case frameType.ping:
        this.#handlePing(payload);
        break;
      default:
        break;
    }
  }

  /** A ping is the sender's own when its number has the sender's parity; only the other side's are answered. */
  #handlePing(payload: Buffer): void {
    const ofClient = payload.readUInt32BE(0) % 2 === 1;
    if (ofClient === (this.#options.role === 'server')) this.#write(controlFrame(frameType.ping, false, payload));
  }

  async #handleSynStream(id: number, block: Buffer, fin: boolean): Promise<void> {
    const headers = await this.#headerReader.decode(block);
    if (!this.#options.onStream || this.#streams.size >= maxStreams || this.#streams.has(id)) {
      const code = this.#streams.has(id) ? protocolError : refusedStream;
      this.#write(controlFrame(frameType.rstStream, false, words(id, code)));
      return;
    }
    const stream = new SpdyStream(this.#transport, id, headers);
    this.#streams.set(id, stream);
    if (fin) stream.receiveFin();
    this.#options.onStream(stream);
  }

  async #handleReply(id: number, block: Buffer, fin: boolean): Promise<void> {
    const headers = await this.#headerReader.decode(block);
    const stream = this.#streams.get(id);
    stream?.receiveReply(headers);
    if (fin) stream?.receiveFin();
  }

  #handleReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.receiveReset(new Error(`the other side has reset the stream (SPDY status ${code})`));
  }

  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const reason = error ?? new Error('the connection was closed');
    for (const stream of this.#streams.values()) stream.receiveReset(reason);
    this.#streams.clear();
    this.#headerReader.close();
    this.#socket.destroy();
    this.#options.onClose?.(error);
  }
}
