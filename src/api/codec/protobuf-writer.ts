const textEncoder = new TextEncoder();
const firstBytes = 256;

/** Writes one protobuf message. */
export class ProtobufWriter {
  #bytes = new Uint8Array(firstBytes);
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  /** What has been written; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  bool(number: number, value: boolean): void {
    this.#tag(number, 0);
    this.#varint(value ? 1 : 0);
  }

  /** An integer of 64 bits; as a number one that a double holds exactly. */
  integer(number: number, value: number | bigint): void {
    this.#tag(number, 0);
    if (typeof value === 'number' && value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(number: number, value: number): void {
    this.#tag(number, 1);
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  string(number: number, value: string): void {
    this.blob(number, textEncoder.encode(value));
  }

  /** Bytes, or a message that was written before. */
  blob(number: number, value: Uint8Array): void {
    this.#tag(number, 2);
    this.#varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #tag(number: number, kind: number): void {
    this.#varint(number * 8 + kind);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#bytes[this.#at++] = (left % 0x80) | 0x80;
    this.#bytes[this.#at++] = left;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let left = value;
    for (; left >= 0x80n; left >>= 7n) this.#bytes[this.#at++] = Number(left & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(left);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}
