const blockBytes = 512;

/** One entry of a tar file (ustar). Names are at most 100 bytes. */
export interface TarEntry {
  readonly name: string;
  readonly data?: Uint8Array;
  readonly mode?: number;
  readonly type?: 'file' | 'directory' | 'symlink';
  /** What a symlink points to. */
  readonly target?: string;
}

const typeFlags = { file: '0', directory: '5', symlink: '2' } as const;

/** A tar file with these entries, owned by root, at the epoch: the same entries give the same bytes. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = Buffer.from(entry.data ?? []);
    return [header(entry, data.length), data, Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

function header(entry: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(entry.name) > 100) throw new RangeError(`the name ${entry.name} is too long for a tar header`);
  const block = Buffer.alloc(blockBytes);
  block.write(entry.name, 0);
  block.write(octal(entry.mode ?? 0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write('        ', 148);
  block.write(typeFlags[entry.type ?? 'file'], 156);
  block.write(entry.target ?? '', 157);
  block.write('ustar\0' + '00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
