/** The protobuf wire format, below messages: varints, tags and length-delimited bytes. */

export const wireVarint = 0;
export const wire64 = 1;
export const wireBytes = 2;
export const wire32 = 5;

const scalarWireTypes: Readonly<Record<string, number>> = {
  int32: wireVarint,
  int64: wireVarint,
  uint32: wireVarint,
  uint64: wireVarint,
  bool: wireVarint,
  sint32: wireVarint,
  sint64: wireVarint,
  fixed64: wire64,
  sfixed64: wire64,
  double: wire64,
  string: wireBytes,
  bytes: wireBytes,
  fixed32: wire32,
  sfixed32: wire32,
  float: wire32,
};

/** The wire type of a scalar, undefined for the name of a message or enum. */
export function scalarWireType(type: string): number | undefined {
  return scalarWireTypes[type];
}

const initialBytes = 256;

/** Appends to a buffer that grows as needed. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(initialBytes);
  #length = 0;

  /** Any integer a JavaScript number holds exactly; negative ones as 64-bit two's complement. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    if (value < 0) rest = this.#negativeHead(value);
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  tag(id: number, wireType: number): void {
    this.varint(id * 8 + wireType);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(value, this.#length);
  }

  fixed(type: string, value: number): void {
    this.#reserve(8);
    const at = this.#length;
    if (type === 'double') this.#length = this.#buffer.writeDoubleLE(value, at);
    else if (type === 'float') this.#length = this.#buffer.writeFloatLE(value, at);
    else if (scalarWireType(type) === wire64) this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
    else this.#length = this.#buffer.writeUInt32LE(value >>> 0, at);
  }

  /** What has been written. The writer must not be used any more. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes the first five of ten bytes of a negative number; returns the number the other five make. */
  #negativeHead(value: number): number {
    const bits = BigInt.asUintN(64, BigInt(value));
    let low = Number(bits & 0x7_ffff_ffffn);
    for (let i = 0; i < 5; i++) {
      this.#buffer[this.#length++] = (low % 128) | 128;
      low = Math.floor(low / 128);
    }
    return Number(bits >> 35n);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/**
 * Reads from a buffer, nested messages in place: `end` is where the message being read ends. Throws RangeError when the data ends
 * inside a value.
 */
export class WireReader {
  readonly #buffer: Buffer;
  #position = 0;
  #end: number;

  constructor(data: Uint8Array) {
    this.#buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#end = data.byteLength;
  }

  /** Whether the message being read is at its end. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** Starts reading a nested message, whose length comes next. Returns what `leave` needs. */
  enter(): number {
    const outer = this.#end;
    const size = this.varint();
    this.#need(size);
    this.#end = this.#position + size;
    return outer;
  }

  leave(outer: number): void {
    this.#position = this.#end;
    this.#end = outer;
  }

  /** An unsigned integer; above 2^53 the nearest number. */
  varint(): number {
    const first = this.#byte();
    if (first < 128) return first;
    let value = first & 127;
    let scale = 128;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  /** A two's complement integer of 32 or 64 bits, which protobuf always writes with the sign extended to 64. */
  signedVarint(): number {
    const start = this.#position;
    while (this.#byte() & 128);
    const size = this.#position - start;
    this.#position = start;
    if (size < 10) return this.varint();
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) value |= BigInt(this.#byte() & 127) << shift;
    return Number(BigInt.asIntN(64, value));
  }

  bytes(): Buffer {
    const start = this.#take(this.varint());
    return this.#buffer.subarray(start, this.#position);
  }

  string(): string {
    const start = this.#take(this.varint());
    return this.#buffer.toString('utf8', start, this.#position);
  }

  fixed(type: string): number {
    const at = this.#take(scalarWireType(type) === wire64 ? 8 : 4);
    if (type === 'double') return this.#buffer.readDoubleLE(at);
    if (type === 'float') return this.#buffer.readFloatLE(at);
    if (type === 'fixed64') return Number(this.#buffer.readBigUInt64LE(at));
    if (type === 'sfixed64') return Number(this.#buffer.readBigInt64LE(at));
    return type === 'fixed32' ? this.#buffer.readUInt32LE(at) : this.#buffer.readInt32LE(at);
  }

  skip(wireType: number): void {
    if (wireType === wireVarint) this.varint();
    else if (wireType === wireBytes) this.#take(this.varint());
    else if (wireType === wire64) this.#take(8);
    else if (wireType === wire32) this.#take(4);
    else throw new RangeError(`wire type ${wireType}`);
  }

  /** Steps over `size` bytes; returns where they start. */
  #take(size: number): number {
    this.#need(size);
    const start = this.#position;
    this.#position += size;
    return start;
  }

  #need(size: number): void {
    if (this.#position + size > this.#end) throw new RangeError('the message ends inside a field');
  }

  #byte(): number {
    if (this.#position >= this.#end) throw new RangeError('the message ends inside a number');
    return this.#buffer[this.#position++]!;
  }
}
