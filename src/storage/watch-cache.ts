import type { Change, Entry } from './store.ts';

/**
 * What the reader of the cache wants to know of a value without decoding it again (labels, selectable fields, owner, …).
 * Computed once per write by the `Indexer` it brought.
 */
export type Indexer<I> = (key: string, value: Uint8Array) => I;

/** A value in the cache. */
export interface CachedEntry<I> extends Entry {
  readonly index: I;
}

export interface CacheEvent<I> {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** The revision of the change itself. */
  readonly revision: number;
  /** After a put. */
  readonly entry: CachedEntry<I> | undefined;
  /** What was there before, if anything. */
  readonly previous: CachedEntry<I> | undefined;
}

/** A page of entries in key order, all of one revision. */
export interface Page<I> {
  readonly revision: number;
  readonly entries: CachedEntry<I>[];
  /** Entries after the page, for remainingItemCount. With `match` only whether there are any: 1 or 0. */
  readonly remaining: number;
}

/**
 * The durable state in memory, and the recent past: bytes + a small index entry per object. Reads never touch the disk.
 * Every list and watch of the API is served from here; the history is bounded in events and bytes.
 *
 * A prefix ends with `/`; without it, it is one whole key.
 */
export interface WatchCache<I> {
  /** The newest revision seen. */
  readonly revision: number;
  /** The state at start, in any order; the history begins there. Called once, before everything else. */
  load(state: { revision: number; entries: readonly Entry[] }): void;
  get(key: string): CachedEntry<I> | undefined;
  /** All entries under `prefix`, in key order. Cost grows with the answer, not with the store. */
  list(prefix: string): readonly CachedEntry<I>[];
  /**
   * A page of the state at `revision` (default: now; never a future one): at most `limit` entries with a key > `after` that satisfy
   * `match`. Throws Compacted when the history does not reach back to `revision`.
   */
  page(options: {
    prefix: string;
    revision?: number;
    after?: string;
    limit?: number;
    match?: (entry: CachedEntry<I>) => boolean;
  }): Page<I>;
  /** Number of entries under a prefix. */
  count(prefix: string): number;
  /**
   * Events under `prefix` with a revision > `after`, first those already in the history (synchronously, before this returns), then as they
   * happen, all in revision order. Throws Compacted when the history does not reach back that far. Returns the function that ends it.
   * `onEvent` must not throw.
   */
  watch(options: { prefix: string; after: number; onEvent: (event: CacheEvent<I>) => void }): () => void;
  /** Resolves when `revision` has been reached, rejects with RevisionTimeout after `timeoutMs`. */
  waitFor(revision: number, timeoutMs: number): Promise<void>;
  /** Feeds the cache; called by the owner in revision order. */
  apply(change: Change): void;
}

/** A revision somebody asked for did not come in time. */
export class RevisionTimeout extends Error {
  override readonly name = 'RevisionTimeout';
  readonly wanted: number;
  readonly current: number;
  constructor(wanted: number, current: number) {
    super(`waited too long for revision ${wanted}, the newest is ${current}`);
    this.wanted = wanted;
    this.current = current;
  }
}
