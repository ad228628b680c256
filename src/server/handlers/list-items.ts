import type { Kind } from '../../api/kind.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import { copyInto, type ServedBytes, servedBytes, sizeOf } from './render.ts';

/** What goes to the connection at once: some TLS records, few enough that a list of any length needs little memory while it is sent. */
const pieceBytes = 128 * 1024;
const end = ']}';

/**
 * The items of a list and what closes it, as they are sent: stored bytes, one after the other, in pieces made when the first reader comes to them.
 * Kept pieces are for further readers; others are made again for each.
 */
export class ListItems {
  readonly sizeBytes: number;
  /** Empty when all pieces are kept. */
  #items: readonly ServedBytes[];
  readonly #kept: Buffer[] | undefined;

  private constructor(items: readonly ServedBytes[], keep: (sizeBytes: number) => boolean) {
    this.#items = items;
    this.sizeBytes = items.reduce((sum, item) => sum + sizeOf(item), end.length + Math.max(0, items.length - 1));
    this.#kept = keep(this.sizeBytes) ? [] : undefined;
  }

  /** `keep` decides by size whether the pieces stay. Undefined when an entry must be decoded. */
  static of(
    kind: Kind,
    entries: readonly ObjectEntry[],
    options: { withType: boolean; keep: (sizeBytes: number) => boolean },
  ): ListItems | undefined {
    const items: ServedBytes[] = [];
    for (const entry of entries) {
      const served = servedBytes(kind, entry, entry.revision, options.withType);
      if (!served) return undefined;
      items.push(served);
    }
    return new ListItems(items, options.keep);
  }

  *pieces(): Generator<Buffer> {
    const kept = this.#kept;
    const items = this.#items;
    if (items.length === 0 && kept && kept.length > 0) {
      yield* kept;
      return;
    }
    for (let i = 0, from = 0; i === 0 || from < items.length; i++) {
      const to = pieceEnd(items, from);
      const piece = kept?.[i] ?? pieceOf(items, from, to);
      if (kept) kept[i] = piece;
      if (kept && to === items.length) this.#items = [];
      yield piece;
      from = to;
    }
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

function pieceOf(items: readonly ServedBytes[], from: number, to: number): Buffer {
  const isLast = to === items.length;
  let size = isLast ? end.length : 0;
  for (let i = from; i < to; i++) size += sizeOf(items[i]!) + (i > 0 ? 1 : 0);
  const piece = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (let i = from; i < to; i++) {
    if (i > 0) piece[at++] = comma;
    at = copyInto(piece, at, items[i]!);
  }
  if (isLast) piece.write(end, at, 'latin1');
  return piece;
}

const comma = 0x2c;
