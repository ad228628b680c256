import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { StatusError, tooManyRequests } from '../../api/status-error.ts';
import { type Change, DiskFull, type Store, StoreBusy } from '../../storage/store.ts';
import type { Indexer, WatchCache } from '../../storage/watch-cache.ts';
import type { KindTable } from './kind-table.ts';
import { type ObjectEntry, type ObjectIndex, ObjectIndexer } from './object-index.ts';
import { leaveOwnersInBytes } from './owners-in-bytes.ts';
import type { Reader } from './reader.ts';
import { shareParts } from './shared-parts.ts';
import { decodeStored, deepFreeze, encodeStored, prefixOf, registryPrefix, storeKeyOf } from './stored-form.ts';

type Listener = (next: KubeObject | undefined, previous: KubeObject | undefined) => void;
type Key = { namespace?: string | undefined; name: string };

/** Told of each write that begins; what it returns is called when the write is durable. */
export type WriteObserver = (operation: 'create' | 'update' | 'delete', kind: Kind) => () => void;

/** When clients shall try again after the store had no room for their write; by then it has committed several times. */
const busyRetryAfterS = 1;

/** The newest state of an object, durable or on its way; `object` is a mutable copy of the caller's own. */
export interface Newest<T extends KubeObject> {
  readonly object: T;
  readonly revision: number;
  readonly value: Uint8Array;
}

/**
 * Objects over bytes: the store behind, the watch cache before it. Reads see the durable state; `newest`, `put` and `remove` are for
 * read-modify-write. Nothing else in the process writes to the store.
 */
export class ObjectStore implements Reader {
  readonly kinds: KindTable;
  readonly cache: WatchCache<ObjectIndex>;
  readonly #store: Store;
  readonly #indexer: ObjectIndexer;
  readonly #onWrite: WriteObserver | undefined;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #lastDecoded = new Map<Kind | undefined, WeakRef<KubeObject>>();
  #unsubscribe: (() => void) | undefined;

  constructor(deps: {
    store: Store;
    kinds: KindTable;
    newCache: (indexer: Indexer<ObjectIndex>) => WatchCache<ObjectIndex>;
    onWrite?: WriteObserver;
  }) {
    this.kinds = deps.kinds;
    this.#onWrite = deps.onWrite;
    this.#store = deps.store;
    this.#indexer = new ObjectIndexer(deps.kinds);
    this.cache = deps.newCache(this.#indexer.index);
  }

  /**
   * Fills the cache from the store, which must be open, and follows it from there. Listeners that came before hear of every object there is.
   */
  async load(): Promise<void> {
    const state = await this.#store.loadAll();
    this.cache.load(state);
    this.#unsubscribe = this.#store.subscribe((change) => this.#apply(change));
    for (const [storageResource, listeners] of this.#listeners) {
      for (const entry of this.cache.list(`${registryPrefix}${storageResource}/`)) {
        const object = this.#decoded(entry);
        for (const listener of listeners) listener(object, undefined);
      }
    }
  }

  close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** The revision of the state that reads see. */
  get revision(): number {
    return this.cache.revision;
  }

  get<T extends KubeObject>(kind: Kind<T>, key: Key): T | undefined {
    const entry = this.entry(kind, key);
    return entry && this.decode(kind, entry);
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly T[] {
    return this.cache.list(prefixOf(kind, namespace)).map((entry) => this.decode(kind, entry));
  }

  onChange<T extends KubeObject>(kind: Kind<T>, listener: (next: T | undefined, previous: T | undefined) => void): () => void {
    const served: Listener = (next, previous) => listener(serve(kind, next), serve(kind, previous));
    const listeners = this.#listeners.get(kind.storageResource) ?? new Set();
    this.#listeners.set(kind.storageResource, listeners.add(served));
    return () => listeners.delete(served);
  }

  entry(kind: Kind, key: Key): ObjectEntry | undefined {
    return this.cache.get(storeKeyOf(kind, key));
  }

  /** The object as its clients see it, shared and frozen. */
  decode<T extends KubeObject>(kind: Kind<T>, entry: ObjectEntry): T {
    return serve(kind, this.#decoded(entry)) as T;
  }

  /** The entry whose object, as `decode` gives it, this is; undefined for an object that is not, or no longer, the durable one. */
  entryOf(kind: Kind, object: KubeObject): ObjectEntry | undefined {
    const { namespace, name } = object.metadata;
    const entry = this.entry(kind, { namespace, name });
    return entry?.index.decoded?.deref() === object ? entry : undefined;
  }

  newest<T extends KubeObject>(kind: Kind<T>, key: Key): Newest<T> | undefined {
    const entry = this.#store.newest(storeKeyOf(kind, key));
    if (!entry) return undefined;
    const stored = decodeStored(entry.value, entry.revision);
    return { object: serve(kind, stored) as T, revision: entry.revision, value: entry.value };
  }

  /** The stored bytes of an object: what `put` takes. */
  encode(kind: Kind, object: KubeObject): { stored: KubeObject; value: Uint8Array } {
    const stored = kind.toStorage ? kind.toStorage(object) : object;
    return { stored, value: encodeStored(stored) };
  }

  /**
   * Writes an object; resolves when it is durable, with the shared, frozen result. `expected` as in the Store: 0 = must not exist.
   * The object belongs to the store afterwards. Rejects with RevisionConflict when the precondition does not hold.
   */
  async put<T extends KubeObject>(
    kind: Kind<T>,
    key: Key,
    content: { stored: KubeObject; value: Uint8Array },
    expected: number,
  ): Promise<T> {
    const storeKey = storeKeyOf(kind, key);
    this.#indexer.announce(content.value, content.stored);
    const revision = await this.#write(storeKey, content.value, expected, kind);
    const entry = this.cache.get(storeKey);
    if (entry?.revision === revision) return this.decode(kind, entry);
    // Already overwritten by a later write of the same commit: the caller gets what it wrote.
    return serve(kind, deepFreeze(decodeStored(content.value, revision))) as T;
  }

  /** Removes an object; resolves with the revision of the removal. */
  remove(kind: Kind, key: Key, expected: number): Promise<number> {
    return this.#write(storeKeyOf(kind, key), null, expected, kind);
  }

  async #write(key: string, value: Uint8Array | null, expected: number, kind: Kind): Promise<number> {
    const written = this.#onWrite?.(value === null ? 'delete' : expected === 0 ? 'create' : 'update', kind);
    try {
      const revision = await this.#store.write({ key, value, expected, lazy: kind.lazy });
      written?.();
      return revision;
    } catch (error) {
      if (error instanceof DiskFull) throw insufficientStorage(error);
      if (error instanceof StoreBusy) throw tooManyRequests(error.message, busyRetryAfterS);
      throw error;
    }
  }

  #apply(change: Change): void {
    const previous = this.cache.get(change.key);
    this.cache.apply(change);
    const entry = this.cache.get(change.key);
    const index = entry?.index ?? previous?.index;
    const listeners = index?.kind && this.#listeners.get(index.kind.storageResource);
    if (!listeners) return;
    const before = previous && this.#decoded(previous);
    const after = entry && this.#decoded(entry, before);
    for (const listener of listeners) listener(after, before);
  }

  /** The stored form of an entry, decoded once for all who use it at the same time. What it has in common with `like` is there once. */
  #decoded(entry: ObjectEntry, like = this.#lastDecoded.get(entry.index.kind)?.deref()): KubeObject {
    const { index } = entry;
    const known = index.decoded?.deref();
    if (known) return known;
    const object = index.written ?? decodeStored(entry.value, entry.revision);
    object.metadata.resourceVersion = String(entry.revision);
    if (like) shareParts(object, like);
    leaveOwnersInBytes(object, entry.value);
    index.written = undefined;
    index.decoded = new WeakRef(deepFreeze(object));
    this.#lastDecoded.set(index.kind, index.decoded);
    return object;
  }
}

function serve<T extends KubeObject>(kind: Kind<T>, stored: KubeObject | undefined): T | undefined {
  if (!stored || !kind.fromStorage) return stored as T | undefined;
  const object = kind.fromStorage(stored);
  return Object.isFrozen(stored) ? deepFreeze(object) : object;
}

function insufficientStorage(cause: DiskFull): StatusError {
  return new StatusError({
    code: 507,
    reason: 'InsufficientStorage',
    message: `the server's disk is full, nothing was written: free some space under its data directory and try again (${cause.message})`,
    cause,
  });
}
