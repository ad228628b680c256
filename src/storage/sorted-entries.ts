/** A block is split when it grows to this many entries; an insertion moves at most this many pointers. */
const maxBlockEntries = 512;

/**
 * Things with a key, in key order (UTF-16 code units, which is byte order for ASCII keys): a list of sorted blocks. Finding, adding and
 * removing cost the logarithm of the size plus one block; a range costs its length.
 */
export class SortedEntries<T extends { readonly key: string }> {
  /** Never empty blocks, in key order. */
  #blocks: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Replaces everything. `entries` are in key order, without duplicates. */
  load(entries: readonly T[]): void {
    this.#blocks = [];
    this.#size = entries.length;
    const filled = maxBlockEntries / 2;
    for (let i = 0; i < entries.length; i += filled) this.#blocks.push(entries.slice(i, i + filled));
  }

  /** Adds the entry or replaces the one with its key. */
  set(entry: T): void {
    const b = this.#blockOf(entry.key);
    const block = this.#blocks[b];
    if (!block) {
      this.#blocks.push([entry]);
      this.#size++;
      return;
    }
    const i = lowerBound(block, entry.key);
    if (block[i]?.key === entry.key) {
      block[i] = entry;
      return;
    }
    block.splice(i, 0, entry);
    this.#size++;
    if (block.length >= maxBlockEntries) this.#blocks.splice(b + 1, 0, block.splice(block.length >> 1));
  }

  /** Removes the entry with this key, if there is one. */
  delete(key: string): void {
    const b = this.#blockOf(key);
    const block = this.#blocks[b];
    if (!block) return;
    const i = lowerBound(block, key);
    if (block[i]?.key !== key) return;
    block.splice(i, 1);
    this.#size--;
    if (block.length === 0) this.#blocks.splice(b, 1);
  }

  /** Visits the entries with from ≤ key < to in order, until `visit` returns false. */
  visit(from: string, to: string, visit: (entry: T) => boolean): void {
    let b = this.#blockOf(from);
    let i = lowerBound(this.#blocks[b] ?? [], from);
    for (; b < this.#blocks.length; b++, i = 0) {
      const block = this.#blocks[b]!;
      for (; i < block.length; i++) {
        const entry = block[i]!;
        if (entry.key >= to || !visit(entry)) return;
      }
    }
  }

  /** The entries with from ≤ key < to, in order, in a new array. */
  range(from: string, to: string): T[] {
    const found: T[] = [];
    const [startBlock, start] = this.#position(from);
    const [endBlock, end] = this.#position(to);
    for (let b = startBlock; b <= endBlock && b < this.#blocks.length; b++) {
      const block = this.#blocks[b]!;
      const stop = b === endBlock ? end : block.length;
      for (let i = b === startBlock ? start : 0; i < stop; i++) found.push(block[i]!);
    }
    return found;
  }

  /** The number of entries with from ≤ key < to. */
  count(from: string, to: string): number {
    const [startBlock, start] = this.#position(from);
    const [endBlock, end] = this.#position(to);
    let count = end - start;
    for (let b = startBlock; b < endBlock; b++) count += this.#blocks[b]!.length;
    return count;
  }

  #position(key: string): readonly [block: number, index: number] {
    const b = this.#blockOf(key);
    const block = this.#blocks[b];
    return [b, block ? lowerBound(block, key) : 0];
  }

  /** The block that has the key or would take it: the last one that starts at or before it. 0 when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]![0]!.key <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** The index of the first entry whose key is not less than `key`. */
function lowerBound(block: readonly { readonly key: string }[], key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
