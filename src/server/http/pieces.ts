import type { Writable } from 'node:stream';

/**
 * What is written at once. Node.js makes the buffer of a TLS connection as large as the largest write, twice, and keeps it as long as the
 * connection: many connections of which each was answered once with a large object would fill the memory.
 */
export const pieceBytes = 64 * 1024;

/** The same bytes in pieces that may be written at once. */
export function* cut(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const part of parts)
    for (let at = 0; at < part.length; at += pieceBytes)
      yield at + pieceBytes < part.length || at > 0 ? part.subarray(at, at + pieceBytes) : part;
}

/** Writes `pieces` one by one, the next one when the connection has taken the last, and ends the stream. */
export function writePieces(stream: Writable, pieces: Iterable<Uint8Array>): void {
  const left = pieces[Symbol.iterator]();
  const writeNext = (error?: Error | null): void => {
    if (error) return;
    const { value, done } = left.next();
    if (done) stream.end();
    else stream.write(value, writeNext);
  };
  writeNext();
}
