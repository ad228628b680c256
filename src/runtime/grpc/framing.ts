const prefixBytes = 5;

/** The largest message accepted: what containerd and the kubelet agree on for CRI. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** Puts gRPC's five bytes (not compressed, length) before a message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  return framed;
}

/** Cuts a byte stream back into messages, however the transport has chunked it. */
export class FrameReader {
  readonly #onMessage: (message: Buffer) => void;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = prefixBytes;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Throws RangeError for a message that is compressed or too large. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= this.#needed) {
      const data = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      if (this.#needed === prefixBytes) this.#needed += payloadSize(data);
      if (data.length < this.#needed) {
        this.#chunks = [data];
        continue;
      }
      const rest = data.subarray(this.#needed);
      const message = data.subarray(prefixBytes, this.#needed);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#buffered = rest.length;
      this.#needed = prefixBytes;
      this.#onMessage(message);
    }
  }

  /** Whether the stream stopped inside a message. */
  get incomplete(): boolean {
    return this.#buffered > 0;
  }
}

function payloadSize(data: Buffer): number {
  if (data[0] !== 0) throw new RangeError('a compressed message, which was not asked for');
  const size = data.readUInt32BE(1);
  if (size > maxMessageBytes) throw new RangeError(`a message of ${size} bytes, more than ${maxMessageBytes}`);
  return size;
}
