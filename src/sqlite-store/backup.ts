import { fstatSync, read } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const readAsync = promisify(read);
const pieceBytes = 1024 * 1024;

/**
 * Copies an open file to `target`, durably and all or nothing. Reads through the descriptor it is given: opening and closing the file once
 * more would drop the process's locks on it.
 */
export async function copyFileFrom(fd: number, target: string): Promise<void> {
  const unfinished = `${target}.unfinished`;
  try {
    await copyPieces(fd, unfinished);
    await rename(unfinished, target);
  } catch (error) {
    // Perhaps it was never made; the error that is told is the first.
    await unlink(unfinished).catch(() => {});
    throw new Error(`the backup could not be written to ${target}`, { cause: error });
  }
}

async function copyPieces(fd: number, target: string): Promise<void> {
  const copy = await open(target, 'w', 0o600);
  try {
    const size = fstatSync(fd).size;
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await readAsync(fd, piece, 0, pieceBytes, at);
      await copy.writeFile(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}
