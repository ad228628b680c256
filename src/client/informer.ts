import type { Kind } from '../api/kind.ts';
import { groupResource } from '../api/kind.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import { isStatus } from '../api/status-error.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Client } from './client.ts';
import { type IndexFunction, type Lister, ObjectIndex } from './object-index.ts';

/** What to call on changes, in the order of the server. Objects are shared and frozen: never modify them. */
export interface InformerHandler<T extends KubeObject> {
  onAdd?(object: T): void;
  onUpdate?(object: T, previous: T): void;
  onDelete?(object: T): void;
}

/** Which objects of a kind an informer keeps. */
export interface InformerScope {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/**
 * The live objects of a kind (or of a selection of it), kept up to date by one list and one watch. It needs no timer while the watch is open.
 */
export interface Informer<T extends KubeObject> extends Lister<T> {
  readonly kind: Kind<T>;
  readonly scope: InformerScope;
  /** Resolves after the first list has been delivered to the handlers. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** Every change of this selection up to this store revision has been delivered; 0 before the first list. */
  readonly revision: number;
  /** Handlers added late get `onAdd` for what is there, before this returns. Returns the function that removes the handler. */
  addHandler(handler: InformerHandler<T>): () => void;
  /** Called after each delivery, bookmarks too; for those who wait for `revision`. Returns the function that removes it. */
  onProgress(listener: () => void): () => void;
  addIndex(name: string, values: IndexFunction<T>): void;
  start(): void;
  stop(): void;
}

export interface InformerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

const reconnect = { initialMs: 500, maxMs: 30_000, jitter: 0.5 };
/** A watch that lived this long counts as a success: its end is followed by a new one at once. */
const healthyWatchMs = 5_000;
/** Objects per page of the first list over the wire. */
const listPageSize = 500;

/**
 * `reduce` makes what is kept of each object, for watchers of many objects that need little of them; without it the objects are kept as
 * they come, which costs nothing where the client shares them.
 */
export function createInformer<T extends KubeObject>(
  deps: InformerDeps,
  kind: Kind<T>,
  options: { scope?: InformerScope; reduce?: (object: T) => T } = {},
): Informer<T> {
  return new WatchingInformer(deps, kind, options.scope ?? {}, options.reduce);
}

class WatchingInformer<T extends KubeObject> implements Informer<T> {
  readonly kind: Kind<T>;
  readonly scope: InformerScope;
  readonly synced: Promise<void>;
  readonly #deps: InformerDeps;
  readonly #objects = new ObjectIndex<T>();
  readonly #reduce: ((object: T) => T) | undefined;
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #progress = new Set<() => void>();
  readonly #backoff = new Backoff(reconnect);
  #resolveSynced: () => void = () => {};
  #hasSynced = false;
  #revision = 0;
  #resourceVersion = '';
  #started = false;
  #stopped = false;
  #endWatch: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(deps: InformerDeps, kind: Kind<T>, scope: InformerScope, reduce?: (object: T) => T) {
    this.#deps = deps;
    this.kind = kind;
    this.scope = scope;
    this.#reduce = reduce;
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    return this.#objects.list(namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    return this.#objects.byIndex(name, value);
  }

  addIndex(name: string, values: IndexFunction<T>): void {
    this.#objects.addIndex(name, values);
  }

  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    if (handler.onAdd) for (const object of this.#objects.list()) this.#call(() => handler.onAdd?.(object));
    return () => this.#handlers.delete(handler);
  }

  onProgress(listener: () => void): () => void {
    this.#progress.add(listener);
    return () => this.#progress.delete(listener);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#list();
  }

  stop(): void {
    this.#stopped = true;
    this.#endWatch?.();
    this.#cancelRetry?.();
  }

  async #list(): Promise<void> {
    try {
      const items: T[] = [];
      let page = await this.#deps.client.list(this.kind, { ...this.scope, limit: listPageSize });
      for (const item of page.items) items.push(this.#reduce?.(item) ?? item);
      while (page.metadata.continue && !this.#stopped) {
        page = await this.#deps.client.list(this.kind, { ...this.scope, limit: listPageSize, continue: page.metadata.continue });
        for (const item of page.items) items.push(this.#reduce?.(item) ?? item);
      }
      if (this.#stopped) return;
      this.#replace(items, page.metadata.resourceVersion);
      this.#watch();
    } catch (error) {
      this.#retry(error, () => void this.#list());
    }
  }

  /** After a list: what differs from what was known becomes events. */
  #replace(items: readonly T[], resourceVersion: string): void {
    const present = new Set<string>();
    for (const object of items) {
      present.add(keyOf(object));
      this.#put(object);
    }
    for (const object of this.#objects.list()) if (!present.has(keyOf(object))) this.#remove(object);
    this.#advance(resourceVersion);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#resolveSynced();
    }
  }

  #watch(): void {
    const startedAt = this.#deps.clock.monotonicMs();
    this.#endWatch = this.#deps.client.watch(
      this.kind,
      { ...this.scope, resourceVersion: this.#resourceVersion },
      {
        onEvent: (type, received) => {
          if (this.#stopped) return;
          const object = type === 'BOOKMARK' ? received : (this.#reduce?.(received) ?? received);
          if (type === 'DELETED') this.#remove(object);
          else if (type !== 'BOOKMARK') this.#put(object);
          this.#advance(object.metadata.resourceVersion);
        },
        onEnd: (error) => {
          this.#endWatch = undefined;
          if (!this.#stopped) this.#resume(error, this.#deps.clock.monotonicMs() - startedAt);
        },
      },
    );
  }

  /** The watch has ended: go on from the last revision, or list again when the server has forgotten it. */
  #resume(error: Error | undefined, livedMs: number): void {
    if (livedMs >= healthyWatchMs) this.#backoff.reset();
    if (isStatus(error, 'Expired', 'Gone')) {
      this.#deps.log.debug('watch expired, listing again', { kind: groupResource(this.kind) });
      this.#retry(error, () => void this.#list(), this.#backoff.failures === 0);
    } else this.#retry(error, () => this.#watch(), error === undefined && this.#backoff.failures === 0);
  }

  #retry(error: unknown, again: () => void, atOnce = false): void {
    if (this.#stopped) return;
    const delayMs = this.#backoff.next();
    if (atOnce) {
      again();
      return;
    }
    this.#deps.log.debug('watching again later', { kind: groupResource(this.kind), delayMs, error });
    this.#cancelRetry = this.#deps.clock.after(delayMs, again);
  }

  #put(object: T): void {
    const previous = this.#objects.put(object);
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion && previous.metadata.uid === object.metadata.uid)
      return;
    for (const handler of this.#handlers) {
      if (!previous) this.#call(() => handler.onAdd?.(object));
      else if (previous.metadata.uid === object.metadata.uid) this.#call(() => handler.onUpdate?.(object, previous));
      else {
        // Deleted and created again while nobody watched.
        this.#call(() => handler.onDelete?.(previous));
        this.#call(() => handler.onAdd?.(object));
      }
    }
  }

  #remove(object: T): void {
    const known = this.#objects.remove(keyOf(object));
    if (known) for (const handler of this.#handlers) this.#call(() => handler.onDelete?.(object));
  }

  #advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    this.#revision = Math.max(this.#revision, Number(resourceVersion) || 0);
    for (const listener of this.#progress) this.#call(listener);
  }

  /** One handler's mistake must not keep the event from the others. */
  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.#deps.log.error('an informer handler failed', { kind: groupResource(this.kind), error });
    }
  }
}
