import { type FileHandle, open } from 'node:fs/promises';
import { LogFormatter } from './log-lines.ts';

/** Bytes read at a time when looking for lines from the end. */
const blockSize = 64 * 1024;

/** The offset at which the last `count` lines of a file begin. Reads only as much of its end as it has to. */
export async function tailOffset(file: FileHandle, size: number, count: number): Promise<number> {
  if (count === 0) return size;
  const block = Buffer.alloc(Math.min(blockSize, size));
  let end = size;
  let missing = count;
  // The line break that ends the last line does not begin another.
  let skipped = false;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (block[i] !== 0x0a) {
        skipped = true;
        continue;
      }
      if (!skipped) skipped = true;
      else if (--missing === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

/** The text of the last lines of a container log, without what the runtime wrote in front of each. */
export async function tailLines(path: string, count: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const offset = await tailOffset(file, size, count);
    const { buffer } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    return new LogFormatter({ timestamps: false }).format(buffer).toString('utf8');
  } finally {
    await file.close();
  }
}
