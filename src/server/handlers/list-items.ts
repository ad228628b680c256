import { copyInto, type ServedBytes, sizeOf } from './served-bytes.ts';

/** What goes to the connection at once: some TLS records, few enough that a list of any length needs little memory while it is sent. */
const pieceBytes = 128 * 1024;
const end = ']}';

/**
 * The items of a list and what closes it, as they are sent: stored bytes, one after the other, in pieces. A single reader gets them in one buffer
 * that is filled again and again; when a second one comes, the pieces are kept for all.
 */
export class ListItems {
  readonly sizeBytes: number;
  /** Empty when all pieces are kept. */
  #items: readonly ServedBytes[];
  readonly #kept: Buffer[] = [];
  readonly #mayKeep: boolean;
  #hadReader = false;

  /** `mayKeep` decides by size whether pieces may stay. */
  constructor(items: readonly ServedBytes[], mayKeep: (sizeBytes: number) => boolean) {
    this.#items = items;
    let size = end.length + Math.max(0, items.length - 1);
    for (let i = 0; i < items.length; i++) size += sizeOf(items[i]!);
    this.sizeBytes = size;
    this.#mayKeep = mayKeep(size);
  }

  /** For one reader. A piece is valid until the next one is taken. */
  pieces(): Iterable<Buffer> {
    const keep = this.#hadReader && this.#mayKeep;
    this.#hadReader = true;
    return keep ? this.#keptPieces() : passingPieces(this.#items);
  }

  *#keptPieces(): Generator<Buffer> {
    const kept = this.#kept;
    const items = this.#items;
    if (items.length === 0 && kept.length > 0) {
      yield* kept;
      return;
    }
    for (let i = 0, from = 0; i === 0 || from < items.length; i++) {
      const to = pieceEnd(items, from);
      kept[i] ??= filled(Buffer.allocUnsafeSlow(pieceSize(items, from, to)), items, from, to);
      if (to === items.length) this.#items = [];
      yield kept[i]!;
      from = to;
    }
  }
}

function* passingPieces(items: readonly ServedBytes[]): Generator<Buffer> {
  let buffer: Buffer = noBytes;
  for (let from = 0, to = 0; from === 0 || from < items.length; from = to) {
    to = pieceEnd(items, from);
    const size = pieceSize(items, from, to);
    if (size > buffer.length) buffer = Buffer.allocUnsafeSlow(to < items.length ? Math.max(size, pieceBytes) : size);
    yield filled(buffer, items, from, to).subarray(0, size);
    if (to === 0) return;
  }
}

/** As many items as fit, but at least one. */
function pieceEnd(items: readonly ServedBytes[], from: number): number {
  let to = from;
  for (let size = 0; to < items.length; to++) {
    size += sizeOf(items[to]!) + 1;
    if (size > pieceBytes && to > from) break;
  }
  return to;
}

function pieceSize(items: readonly ServedBytes[], from: number, to: number): number {
  let size = to === items.length ? end.length : 0;
  for (let i = from; i < to; i++) size += sizeOf(items[i]!) + (i > 0 ? 1 : 0);
  return size;
}

function filled(piece: Buffer, items: readonly ServedBytes[], from: number, to: number): Buffer {
  let at = 0;
  for (let i = from; i < to; i++) {
    if (i > 0) piece[at++] = comma;
    at = copyInto(piece, at, items[i]!);
  }
  if (to === items.length) piece.write(end, at, 'latin1');
  return piece;
}

const comma = 0x2c;
const noBytes: Buffer = Buffer.alloc(0);
