import { assert } from '../lib/assert.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { EventHistory } from './event-history.ts';
import { SortedEntries } from './sorted-entries.ts';
import { type Change, Compacted, type Entry } from './store.ts';
import { type CachedEntry, type CacheEvent, type Indexer, type Page, RevisionTimeout, type WatchCache } from './watch-cache.ts';

export interface WatchCacheOptions<I> {
  readonly indexer: Indexer<I>;
  /** The history keeps at most this many events… */
  readonly historyEvents: number;
  /** …and at most this many bytes of values that are no longer current. */
  readonly historyBytes: number;
  /** …and, but for the newest 1,000, none older than this. */
  readonly historyMs?: number;
  readonly clock?: Clock;
}

/** Longer than a list in pages takes, and than a client is away that means to resume. */
const defaultHistoryMs = 15 * 60_000;

interface Watcher<I> {
  /** The revision of the last event it has seen. */
  after: number;
  readonly onEvent: (event: CacheEvent<I>) => void;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/** Makes an empty cache; `load` it before use. */
export function createWatchCache<I>(options: WatchCacheOptions<I>): WatchCache<I> {
  return new MemoryWatchCache(options);
}

class MemoryWatchCache<I> implements WatchCache<I> {
  readonly #indexer: Indexer<I>;
  readonly #clock: Clock;
  readonly #history: EventHistory<I>;
  readonly #byKey = new Map<string, CachedEntry<I>>();
  readonly #sorted = new SortedEntries<CachedEntry<I>>();
  readonly #watchers = new Map<string, Set<Watcher<I>>>();
  readonly #waiters = new Set<Waiter>();
  #revision = 0;
  #loaded = false;

  constructor(options: WatchCacheOptions<I>) {
    this.#indexer = options.indexer;
    this.#clock = options.clock ?? systemClock;
    this.#history = new EventHistory({
      maxEvents: options.historyEvents,
      maxBytes: options.historyBytes,
      maxAgeMs: options.historyMs ?? defaultHistoryMs,
    });
  }

  get revision(): number {
    return this.#revision;
  }

  load(state: { revision: number; entries: readonly Entry[] }): void {
    assert(!this.#loaded, 'a watch cache is loaded once');
    this.#loaded = true;
    this.#revision = state.revision;
    this.#history.reset(state.revision);
    for (const entry of state.entries) this.#byKey.set(entry.key, this.#cached(entry));
    this.#sorted.load([...this.#byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
  }

  get(key: string): CachedEntry<I> | undefined {
    return this.#byKey.get(key);
  }

  list(prefix: string): readonly CachedEntry<I>[] {
    return this.#sorted.range(prefix, endOf(prefix));
  }

  count(prefix: string): number {
    return this.#sorted.count(prefix, endOf(prefix));
  }

  page(options: {
    prefix: string;
    revision?: number;
    after?: string;
    limit?: number;
    match?: (entry: CachedEntry<I>) => boolean;
  }): Page<I> {
    const { prefix, match, limit = Number.POSITIVE_INFINITY } = options;
    const revision = options.revision ?? this.#revision;
    assert(revision <= this.#revision, 'a page of the future');
    const from = options.after === undefined || options.after < prefix ? prefix : justAfter(options.after);
    const range = { from, to: endOf(prefix) };
    if (revision < this.#revision) return pageOf(this.#entriesAt(revision, prefix, range), { revision, limit, match });
    return this.#currentPage(range, limit, match);
  }

  watch(options: { prefix: string; after: number; onEvent: (event: CacheEvent<I>) => void }): () => void {
    const { prefix, after, onEvent } = options;
    this.#checkReach(after);
    const watcher: Watcher<I> = { after, onEvent };
    const watchers = this.#watchers.get(prefix) ?? new Set();
    this.#watchers.set(prefix, watchers.add(watcher));
    this.#history.forEachAfter(after, (event) => {
      if (isUnder(event.key, prefix) && watchers.has(watcher)) deliver(watcher, event);
    });
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(prefix) === watchers) this.#watchers.delete(prefix);
    };
  }

  waitFor(revision: number, timeoutMs: number): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#waiters.delete(waiter);
        reject(new RevisionTimeout(revision, this.#revision));
      });
      const waiter: Waiter = {
        revision,
        resolve: () => {
          cancel();
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  apply(change: Change): void {
    assert(this.#loaded, 'a watch cache is loaded before changes are applied');
    assert(change.revision > this.#revision, 'changes come in revision order');
    const { key, revision } = change;
    const previous = this.#byKey.get(key);
    const entry = change.entry && this.#cached(change.entry);
    if (entry) {
      this.#byKey.set(key, entry);
      this.#sorted.set(entry);
    } else {
      this.#byKey.delete(key);
      this.#sorted.delete(key);
    }
    const event: CacheEvent<I> = { type: entry ? 'put' : 'delete', key, revision, entry, previous };
    this.#revision = revision;
    this.#history.push(event, this.#clock.monotonicMs());
    this.#dispatch(event);
    this.#wakeWaiters();
  }

  #cached(entry: Entry): CachedEntry<I> {
    const { key, value, revision } = entry;
    return { key, value, revision, index: this.#indexer(key, value) };
  }

  #checkReach(revision: number): void {
    const { floor } = this.#history;
    if (revision < floor) throw new Compacted(`revision ${revision} is too old, the oldest still known is ${floor}`);
  }

  #dispatch(event: CacheEvent<I>): void {
    if (this.#watchers.size === 0) return;
    const { key } = event;
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      this.#notify(this.#watchers.get(key.slice(0, slash + 1)), event);
    }
    this.#notify(this.#watchers.get(key), event);
  }

  #notify(watchers: ReadonlySet<Watcher<I>> | undefined, event: CacheEvent<I>): void {
    if (watchers) for (const watcher of watchers) deliver(watcher, event);
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision > this.#revision) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #currentPage(
    range: { from: string; to: string },
    limit: number,
    match: ((entry: CachedEntry<I>) => boolean) | undefined,
  ): Page<I> {
    const entries: CachedEntry<I>[] = [];
    let remaining = 0;
    this.#sorted.visit(range.from, range.to, (entry) => {
      if (match && !match(entry)) return true;
      if (entries.length < limit) return entries.push(entry) > 0;
      remaining = match ? 1 : this.#sorted.count(entry.key, range.to);
      return false;
    });
    return { revision: this.#revision, entries, remaining };
  }

  /** The entries of a range as they were at an older revision: the present one with the later events undone. */
  #entriesAt(revision: number, prefix: string, range: { from: string; to: string }): CachedEntry<I>[] {
    this.#checkReach(revision);
    const before = new Map<string, CachedEntry<I> | undefined>();
    this.#history.forEachAfter(revision, (event) => {
      const { key } = event;
      if (isUnder(key, prefix) && key >= range.from && !before.has(key)) before.set(key, event.previous);
    });
    const unchanged = this.#sorted.range(range.from, range.to).filter((entry) => !before.has(entry.key));
    const restored = [...before.values()].filter((entry) => entry !== undefined);
    return [...unchanged, ...restored].sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

function pageOf<I>(
  entries: CachedEntry<I>[],
  options: { revision: number; limit: number; match: ((entry: CachedEntry<I>) => boolean) | undefined },
): Page<I> {
  const { revision, limit, match } = options;
  const matching = match ? entries.filter(match) : entries;
  const left = Math.max(0, matching.length - limit);
  return { revision, entries: left > 0 ? matching.slice(0, limit) : matching, remaining: match ? Math.min(1, left) : left };
}

/** A watcher that came while this event was being delivered has had it from the history. */
function deliver<I>(watcher: Watcher<I>, event: CacheEvent<I>): void {
  if (event.revision <= watcher.after) return;
  watcher.after = event.revision;
  watcher.onEvent(event);
}

function isUnder(key: string, prefix: string): boolean {
  return prefix.endsWith('/') ? key.startsWith(prefix) : key === prefix;
}

/** The first key after all keys under `prefix`; `0` follows `/`. */
function endOf(prefix: string): string {
  return prefix.endsWith('/') ? `${prefix.slice(0, -1)}0` : justAfter(prefix);
}

/** The smallest key greater than `key`. */
function justAfter(key: string): string {
  return `${key}\0`;
}
