/** One decoded element of DER. `content` and `raw` share memory with the input. */
export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly raw: Buffer;
}

/** The tags certificates and requests are made of. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag `[n]`; constructed ones hold further elements. */
export const contextTag = (n: number, constructed = true): number => (constructed ? 0xa0 : 0x80) | n;

/** Encodes one element. Lengths up to 16 MB. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...encodedLength(body.length)]), body]);
}

function encodedLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** A non-negative INTEGER from its big-endian bytes, in the shortest form DER demands. */
export function derInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return der(Tag.integer, ...((digits[0] ?? 0) & 0x80 ? [Buffer.from([0])] : []), digits);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(Tag.oid, Buffer.from(bytes));
}

/** A BIT STRING of whole bytes. */
export const derBits = (bytes: Uint8Array, unusedBits = 0): Buffer => der(Tag.bitString, Buffer.from([unusedBits]), bytes);

/** UTCTime until 2049, GeneralizedTime from 2050 on, as RFC 5280 §4.1.2.5 demands. */
export function derTime(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return Number(text.slice(0, 4)) < 2050
    ? der(Tag.utcTime, Buffer.from(text.slice(2)))
    : der(Tag.generalizedTime, Buffer.from(text));
}

/** Decodes the single element `bytes` consists of. Throws on anything malformed, truncated or trailing. */
export function parseDer(bytes: Uint8Array): DerNode {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const node = readElement(buffer, 0);
  if (node.raw.length !== buffer.length) throw new Error('there are bytes after the end of the DER element');
  return node;
}

/** The elements a constructed element holds. */
export function children(node: DerNode): DerNode[] {
  const found: DerNode[] = [];
  for (let at = 0; at < node.content.length; ) {
    const child = readElement(node.content, at);
    found.push(child);
    at += child.raw.length;
  }
  return found;
}

function readElement(buffer: Buffer, at: number): DerNode {
  const tag = buffer[at];
  let length = buffer[at + 1];
  if (tag === undefined || length === undefined) throw new Error('the DER element is truncated');
  let start = at + 2;
  if (length & 0x80) {
    const size = length & 0x7f;
    if (size === 0 || size > 3 || start + size > buffer.length) throw new Error('the DER length is malformed');
    length = buffer.readUIntBE(start, size);
    start += size;
  }
  if (start + length > buffer.length) throw new Error('the DER element is truncated');
  return { tag, content: buffer.subarray(start, start + length), raw: buffer.subarray(at, start + length) };
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function oidText(node: DerNode): string {
  const numbers: number[] = [];
  let arc = 0;
  for (const byte of node.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(arc);
    arc = 0;
  }
  const [both = 0, ...rest] = numbers;
  const first = Math.min(2, Math.floor(both / 40));
  return [first, both - first * 40, ...rest].join('.');
}
