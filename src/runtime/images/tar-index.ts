import type { FileHandle } from 'node:fs/promises';

const blockBytes = 512;
/** Longest extended header taken into memory; they hold a name or two. */
const maxExtendedBytes = 1024 * 1024;

/** Where the content of one tar entry lies in its file. */
export interface TarSlice {
  readonly offset: number;
  readonly size: number;
}

const noTar = 'not a tar file (a compressed one has to be unpacked first)';

interface RawEntry {
  name: string;
  size: number;
  linkTarget: string;
  readonly type: string;
}

/** Reads the headers of an uncompressed tar file: content by name without `./`, links resolved. Throws when it is no tar. */
export async function indexTar(file: FileHandle): Promise<Map<string, TarSlice>> {
  const slices = new Map<string, TarSlice>();
  const links = new Map<string, string>();
  let extended: Partial<RawEntry> = {};
  for (let position = 0; ; ) {
    const block = await readSlice(file, { offset: position, size: blockBytes }, true);
    if (position > 0 && (block.length < blockBytes || block[0] === 0)) break;
    const entry = { ...parseHeader(block), ...extended };
    const slice = { offset: position + blockBytes, size: entry.size };
    position = slice.offset + Math.ceil(entry.size / blockBytes) * blockBytes;
    if ('LKx'.includes(entry.type)) {
      extended = { ...extended, ...(await readExtended(file, entry.type, slice)) };
      continue;
    }
    extended = {};
    if (entry.type === '2') links.set(clean(entry.name), clean(resolveLink(entry.name, entry.linkTarget)));
    else if (entry.type === '1') links.set(clean(entry.name), clean(entry.linkTarget));
    else if (entry.type === '0' || entry.type === '\0') slices.set(clean(entry.name), slice);
  }
  for (const [name, target] of links) {
    const slice = slices.get(target);
    if (slice) slices.set(name, slice);
  }
  return slices;
}

/** The bytes of a slice; with `partial` fewer at the end of the file. */
export async function readSlice(file: FileHandle, slice: TarSlice, partial = false): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(slice.size), 0, slice.size, slice.offset);
  if (bytesRead < slice.size && !partial) throw new Error('the tar file ends inside an entry: it is not complete');
  return buffer.subarray(0, bytesRead);
}

function parseHeader(block: Buffer): RawEntry {
  if (block.length < blockBytes) throw new Error(noTar);
  const stored = Number.parseInt(text(block, 148, 8).trim(), 8);
  let sum = 0;
  for (let i = 0; i < blockBytes; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
  if (stored !== sum) throw new Error(noTar);
  const prefix = text(block, 257, 5) === 'ustar' ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: parseSize(block),
    linkTarget: text(block, 157, 100),
    type: String.fromCharCode(block[156]!),
  };
}

/** Octal, or binary with the highest bit set for files of 8 GB and more. */
function parseSize(block: Buffer): number {
  if (block[124]! < 128) return Number.parseInt(text(block, 124, 12).trim() || '0', 8);
  return Number(block.readBigUInt64BE(128));
}

/** GNU long names (L, K) and pax headers (x) describe the entry after them. */
async function readExtended(file: FileHandle, type: string, slice: TarSlice): Promise<Partial<RawEntry>> {
  if (slice.size > maxExtendedBytes) throw new Error(`a tar header of ${slice.size} bytes`);
  const data = await readSlice(file, slice);
  if (type === 'L') return { name: text(data, 0, data.length) };
  if (type === 'K') return { linkTarget: text(data, 0, data.length) };
  const found: Partial<RawEntry> = {};
  for (let position = 0; position < data.length; ) {
    const length = Number.parseInt(data.toString('utf8', position, position + 20), 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]+)=([\s\S]*)\n$/.exec(data.toString('utf8', position, position + length)) ?? [];
    if (key === 'path') found.name = value!;
    else if (key === 'linkpath') found.linkTarget = value!;
    else if (key === 'size') found.size = Number(value);
    position += length;
  }
  return found;
}

function text(data: Buffer, offset: number, size: number): string {
  const end = data.indexOf(0, offset);
  return data.toString('utf8', offset, end < 0 || end > offset + size ? offset + size : end);
}

function clean(name: string): string {
  return name.replace(/^(\.?\/)+/, '');
}

function resolveLink(name: string, target: string): string {
  const parts = name.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
