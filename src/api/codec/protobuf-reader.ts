/** The bytes are not a protobuf message. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

export type WireKind = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

const wireKinds: readonly (WireKind | undefined)[] = ['varint', 'fixed64', 'bytes', undefined, undefined, 'fixed32'];
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads one protobuf message from a part of a buffer. Every read is checked: truncated or malformed input throws ProtobufError. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number and kind. */
  tag(): { number: number; kind: WireKind } {
    const tag = this.#varint32();
    const kind = wireKinds[tag & 7];
    const number = tag >>> 3;
    if (kind === undefined || number === 0) throw new ProtobufError(`illegal tag ${number} (wire type ${tag & 7})`);
    return { number, kind };
  }

  skip(kind: WireKind): void {
    if (kind === 'varint') this.#varint32();
    else if (kind === 'fixed64') this.#advance(8);
    else if (kind === 'fixed32') this.#advance(4);
    else this.message();
  }

  bool(): boolean {
    const at = this.#at;
    return this.#varint32() !== 0 || this.#bytes.subarray(at, this.#at).some((byte) => (byte & 0x7f) !== 0);
  }

  int32(): number {
    return this.#varint32() | 0;
  }

  /** Beyond 2^53 the number is the nearest a double can hold, as with JSON. */
  int64(): number {
    const at = this.#at;
    const low = this.#varint32();
    if (this.#at - at <= 4) return low;
    let value = 0n;
    for (let i = at; i < this.#at; i++) value |= BigInt(this.#bytes[i]! & 0x7f) << BigInt(7 * (i - at));
    return Number(BigInt.asIntN(64, value));
  }

  double(): number {
    const at = this.#advance(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  string(): string {
    return textDecoder.decode(this.bytes());
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  message(): ProtobufReader {
    const length = this.#length();
    const start = this.#advance(length);
    return new ProtobufReader(this.#bytes, start, start + length);
  }

  #length(): number {
    const length = this.#varint32() >>> 0;
    if (length > this.#end - this.#at) throw new ProtobufError('unexpected EOF');
    return length;
  }

  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new ProtobufError('unexpected EOF');
    this.#at += count;
    return start;
  }

  /** The low 32 bits of a varint of up to ten bytes. */
  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw new ProtobufError('unexpected EOF');
      const byte = this.#bytes[this.#at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('proto: integer overflow');
  }
}
