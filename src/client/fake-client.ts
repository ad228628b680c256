import { groupResource, type Kind } from '../api/kind.ts';
import { apiVersionOf, type KubeObject, keyOf, type NewObject, type ObjectKey, type ObjectList } from '../api/meta.ts';
import { alreadyExists, badRequest, conflict, expired, invalid, notFound } from '../api/status-error.ts';
import { timestamp } from '../api/timestamp.ts';
import type { Clock } from '../lib/clock.ts';
import { FakeClock } from '../lib/clock.ts';
import type { Client, DeleteOptions, ListOptions, PatchType, WatchHandler, WatchOptions } from './client.ts';
import { freezeDeep, jsonPatch, mergePatch, selects } from './fake-semantics.ts';

/** Events kept for watches that start in the past; older ones are answered with 410 Expired. */
const historyLimit = 10_000;

/** A test that writes more than this is in a loop, most likely one of two writers that disagree. */
const writeLimit = 20_000;

/** What a test can make happen before a request is carried out: throw to refuse it, or wait. */
export type Interceptor = (request: { verb: string; kind: Kind; key: ObjectKey; subresource?: string }) => void | Promise<void>;

interface LogEntry {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly revision: number;
}

interface Watcher {
  readonly kind: Kind;
  readonly options: WatchOptions;
  readonly handler: WatchHandler<KubeObject>;
}

/** What a POST to a sub-resource does in the fake. */
export type PostHandler = (fake: FakeClient, kind: Kind, key: ObjectKey, body: unknown) => unknown;

/**
 * An API in memory for unit tests: resourceVersion conflicts, no-op writes, status apart from the rest, finalizers and graceful deletion,
 * generateName, watches with history. No validation, no authorization. Objects it hands out are frozen and shared, as with loopback.
 */
export class FakeClient implements Client {
  readonly clock: Clock;
  /** Every write that was carried out, as `verb resource[/subresource] key`; for assertions. */
  readonly writes: string[] = [];
  /** Sub-resource name → what POST does; the test brings binding, eviction, token as it needs them. */
  readonly posts = new Map<string, PostHandler>();
  intercept: Interceptor | undefined;
  /** Delays what watches see; for tests of a lagging cache. */
  watchDelay: (() => Promise<void>) | undefined;
  readonly #objects = new Map<string, KubeObject>();
  readonly #watchers = new Set<Watcher>();
  #history: LogEntry[] = [];
  #revision = 1;
  #compactedAt = 0;
  #uids = 0;

  constructor(clock: Clock = new FakeClock()) {
    this.clock = clock;
  }

  /** Puts an object in place as it is, status included. Returns it as stored. */
  seed<T extends KubeObject>(kind: Kind<T>, object: NewObject<T>): T {
    return this.#write(kind, undefined, this.#newborn(kind, structuredClone(object) as unknown as T));
  }

  /** Changes an object as its other owners would (the kubelet, a user), past all rules. */
  mutate<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, change: (object: T) => void): T {
    const previous = this.#require(kind, key);
    const next = structuredClone(previous);
    change(next);
    return this.#write(kind, previous, next);
  }

  /** Forgets the history: watches from before now get 410 Expired, open ones end with it. */
  expireWatches(): void {
    this.#compactedAt = ++this.#revision;
    this.#history = [];
    this.endWatches(expired('too old resource version'));
  }

  endWatches(error: Error | undefined): void {
    for (const watcher of [...this.#watchers]) {
      this.#watchers.delete(watcher);
      watcher.handler.onEnd(error);
    }
  }

  /** What is there now, without a request. */
  all<T extends KubeObject>(kind: Kind<T>, namespace?: string): T[] {
    const prefix = `${id(kind, '')}${namespace ? `${namespace}/` : ''}`;
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object as T);
  }

  async get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): Promise<T> {
    await this.#enter('get', kind, key);
    return this.#require(kind, key);
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    await this.#enter('list', kind, { name: '' });
    const start = options.continue ? Number(options.continue) : 0;
    const matching = this.all(kind, options.namespace).filter((object) => selects(kind, options, object));
    const items = matching.slice(start, options.limit ? start + options.limit : undefined);
    const left = matching.length - start - items.length;
    return {
      items,
      metadata: {
        resourceVersion: String(this.#revision),
        ...(left > 0 ? { continue: String(start + items.length), remainingItemCount: left } : {}),
      },
    };
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: NewObject<T>): Promise<T> {
    const { namespace, name, generateName } = object.metadata;
    if (!name && !generateName) {
      const required = {
        reason: 'FieldValueRequired',
        field: 'metadata.name',
        message: 'Required value: name or generateName is required',
      };
      throw invalid(kind, '', [required as { reason: 'FieldValueRequired'; field: string; message: string }]);
    }
    await this.#enter('create', kind, { ...(namespace ? { namespace } : {}), name: name ?? '' });
    const draft = structuredClone(object) as unknown as T & { status?: unknown };
    if (hasStatus(kind)) draft.status = {};
    const newborn = this.#newborn(kind, draft);
    kind.applyDefaults(newborn);
    if (this.#objects.has(id(kind, keyOf(newborn)))) throw alreadyExists(kind, newborn.metadata.name);
    this.#note('create', kind, newborn.metadata);
    return this.#write(kind, undefined, newborn);
  }

  async update<T extends KubeObject>(kind: Kind<T>, object: T, options: { subresource?: string } = {}): Promise<T> {
    await this.#enter('update', kind, object.metadata, options.subresource);
    return this.#replace(kind, object, options.subresource, 'update');
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    key: ObjectKey,
    patch: { type: PatchType; body: unknown; subresource?: string },
  ): Promise<T> {
    await this.#enter('patch', kind, key, patch.subresource);
    const current = structuredClone(this.#require(kind, key));
    if (patch.type === 'apply' || patch.type === 'strategic')
      throw badRequest(`the fake client does not know ${patch.type} patches`);
    const next = patch.type === 'json' ? jsonPatch(current, patch.body) : mergePatch(current, patch.body);
    return this.#replace(kind, next as T, patch.subresource, 'patch');
  }

  async delete<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    await this.#enter('delete', kind, key);
    const current = this.#require(kind, key);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== current.metadata.uid)
      throw conflict(
        kind,
        key.name,
        `the UID in the precondition (${uid}) does not match the UID in record (${current.metadata.uid})`,
      );
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) throw conflict(kind, key.name);
    const next = structuredClone(current);
    this.#markDeleted(kind, next, options);
    this.#note('delete', kind, key);
    this.#write(kind, current, next);
  }

  async post<B, R>(kind: Kind, key: ObjectKey, subresource: string, body: B): Promise<R> {
    await this.#enter('post', kind, key, subresource);
    const handler = this.posts.get(subresource);
    if (!handler) throw badRequest(`the fake client has no ${groupResource(kind)}/${subresource}`);
    const result = handler(this, kind, key, body);
    this.#note('post', kind, key, subresource);
    return result as R;
  }

  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions, handler: WatchHandler<T>): () => void {
    const watcher = { kind, options, handler: handler as unknown as WatchHandler<KubeObject> };
    const after = Number(options.resourceVersion);
    queueMicrotask(() => {
      if (after < this.#compactedAt) {
        handler.onEnd(expired(`too old resource version: ${after} (${this.#compactedAt})`));
        return;
      }
      this.#watchers.add(watcher);
      if (ended) this.#watchers.delete(watcher);
      else for (const entry of this.#history) if (entry.revision > after) this.#deliver(watcher, entry);
    });
    let ended = false;
    return () => {
      ended = true;
      this.#watchers.delete(watcher);
    };
  }

  async #enter(verb: string, kind: Kind, { namespace, name }: ObjectKey, subresource?: string): Promise<void> {
    const key = { ...(namespace ? { namespace } : {}), name };
    await this.intercept?.({ verb, kind, key, ...(subresource ? { subresource } : {}) });
  }

  #require<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): T {
    const found = this.#objects.get(id(kind, keyOf({ metadata: key })));
    if (!found) throw notFound(kind, key.name);
    return found as T;
  }

  #newborn<T extends KubeObject>(kind: Kind<T>, draft: T): T {
    const { metadata } = draft;
    if (!metadata.name) metadata.name = `${metadata.generateName}${(++this.#uids).toString(36).padStart(5, 'x')}`;
    if (kind.scope === 'Cluster') delete metadata.namespace;
    metadata.uid ??= `uid-${++this.#uids}`;
    metadata.creationTimestamp ??= timestamp(this.clock.now());
    if ('spec' in draft) metadata.generation ??= 1;
    return { ...draft, apiVersion: apiVersionOf(kind), kind: kind.kind };
  }

  #replace<T extends KubeObject>(kind: Kind<T>, object: T, subresource: string | undefined, verb: string): T {
    const current = this.#require(kind, object.metadata);
    const { resourceVersion, uid } = object.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) throw conflict(kind, object.metadata.name);
    if (uid && uid !== current.metadata.uid) throw conflict(kind, object.metadata.name, 'the UID differs');
    const next = structuredClone(object) as Loose<T>;
    kind.applyDefaults(next);
    const before = current as Loose<T>;
    const { deletionTimestamp, deletionGracePeriodSeconds, creationTimestamp, generation } = before.metadata;
    const kept = { uid: before.metadata.uid, creationTimestamp, resourceVersion: before.metadata.resourceVersion };
    Object.assign(next.metadata, kept, { deletionTimestamp, deletionGracePeriodSeconds, generation });
    let result = next;
    if (subresource === 'status') {
      // Most kinds take the metadata as well; of it only annotations matter here.
      const { annotations } = next.metadata;
      const metadata = { ...before.metadata, ...(annotations ? { annotations } : {}) };
      result = { ...structuredClone(before), metadata, status: next.status };
    } else if (subresource !== undefined) {
      if (subresource === 'finalize') result = { ...structuredClone(before), spec: next.spec };
    } else if (hasStatus(kind)) result = { ...next, status: before.status };
    if (JSON.stringify(result.spec) !== JSON.stringify(before.spec) && generation !== undefined)
      result.metadata.generation = generation + 1;
    this.#note(verb, kind, object.metadata, subresource);
    return this.#write(kind, current, result);
  }

  #markDeleted(kind: Kind, object: KubeObject, options: DeleteOptions): void {
    const { metadata } = object;
    const finalizers = new Set(metadata.finalizers);
    if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
    if (finalizers.size > 0) metadata.finalizers = [...finalizers];
    const graceSeconds = kind.gracePeriodSeconds?.(object, options.gracePeriodSeconds) ?? 0;
    metadata.deletionTimestamp ??= timestamp(this.clock.now() + graceSeconds * 1000);
    metadata.deletionGracePeriodSeconds = Math.min(graceSeconds, metadata.deletionGracePeriodSeconds ?? graceSeconds);
  }

  /** Stores `next`, or removes it when it is deleted and nothing holds it any more. */
  #write<T extends KubeObject>(kind: Kind<T>, previous: T | undefined, next: T): T {
    const key = id(kind, keyOf(next));
    if (previous && sameContent(previous, next)) return previous;
    next.metadata.resourceVersion = String(++this.#revision);
    const object = freezeDeep(JSON.parse(JSON.stringify(next)) as T);
    const gone =
      object.metadata.deletionTimestamp !== undefined &&
      !object.metadata.deletionGracePeriodSeconds &&
      !object.metadata.finalizers?.length &&
      !heldBySpec(object);
    if (gone) this.#objects.delete(key);
    else this.#objects.set(key, object);
    this.#publish({ type: gone ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED', kind, object, previous, revision: this.#revision });
    return object;
  }

  #publish(entry: LogEntry): void {
    this.#history.push(entry);
    if (this.#history.length > historyLimit) this.#compactedAt = this.#history.shift()!.revision;
    const deliver = (): void => {
      for (const watcher of [...this.#watchers]) this.#deliver(watcher, entry);
    };
    if (this.watchDelay) void this.watchDelay().then(deliver);
    else queueMicrotask(deliver);
  }

  #deliver({ kind, options, handler }: Watcher, entry: LogEntry): void {
    if (groupResource(entry.kind) !== groupResource(kind) || entry.revision <= Number(options.resourceVersion)) return;
    if (options.namespace && entry.object.metadata.namespace !== options.namespace) return;
    const before = entry.previous !== undefined && selects(kind, options, entry.previous);
    const after = entry.type !== 'DELETED' && selects(kind, options, entry.object);
    if (!before && !after) return;
    handler.onEvent(after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED', entry.object);
  }

  #note(verb: string, kind: Kind, key: ObjectKey, subresource?: string): void {
    if (this.writes.length >= writeLimit) throw new Error(`too many writes, the last: ${this.writes.slice(-4).join('; ')}`);
    this.writes.push(`${verb} ${groupResource(kind)}${subresource ? `/${subresource}` : ''} ${keyOf({ metadata: key })}`);
  }
}

type Loose<T> = T & { spec?: unknown; status?: unknown };

function id(kind: Kind, key: string): string {
  return `${kind.storageResource}|${key}`;
}

function hasStatus(kind: Kind): boolean {
  return kind.subresources.some((s) => s.name === 'status');
}

/** Namespaces stay while spec.finalizers name anyone. */
function heldBySpec(object: KubeObject): boolean {
  const finalizers = (object as { spec?: { finalizers?: unknown[] } }).spec?.finalizers;
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function sameContent(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
