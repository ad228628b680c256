/** SPDY/3.1 frames, as far as Kubernetes' streaming uses them. */
export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

const flagFin = 1;
const version = 3;
const headBytes = 8;
/** Data frames are sent in pieces of at most this; longer control frames than this are refused. */
export const maxFrameBytes = 64 * 1024;
const maxDataBytes = 16 * 1024 * 1024;

export type Frame =
  | { readonly kind: 'data'; readonly streamId: number; readonly fin: boolean; readonly payload: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly fin: boolean; readonly payload: Buffer };

export function dataFrameHead(streamId: number, size: number, fin: boolean): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt32BE((fin ? flagFin << 24 : 0) | size, 4);
  return head;
}

export function controlFrame(type: number, fin: boolean, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((fin ? flagFin << 24 : 0) | payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** Big-endian words, the body of most control frames. */
export function words(...values: readonly number[]): Buffer {
  const data = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) data.writeUInt32BE(value, 4 * i);
  return data;
}

/** Cuts the byte stream of a connection into frames. */
export class FrameParser {
  #buffered: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
  }

  /** The next whole frame, if it has arrived. Throws RangeError for a frame that is too long. */
  next(): Frame | undefined {
    const data = this.#buffered;
    if (data.length < headBytes) return undefined;
    const first = data.readUInt32BE(0);
    const control = first >= 0x8000_0000;
    const size = data.readUIntBE(5, 3);
    if (size > (control ? maxFrameBytes : maxDataBytes)) throw new RangeError(`a SPDY frame of ${size} bytes`);
    if (data.length < headBytes + size) return undefined;
    const payload = data.subarray(headBytes, headBytes + size);
    this.#buffered = data.subarray(headBytes + size);
    const fin = (data[4]! & flagFin) !== 0;
    if (control) return { kind: 'control', type: first & 0xffff, fin, payload };
    return { kind: 'data', streamId: first, fin, payload };
  }
}
