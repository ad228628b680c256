import type { Kind } from '../../src/api/kind.ts';
import { apiVersionOf, type KubeObject, keyOf } from '../../src/api/meta.ts';
import type { Reader } from '../../src/server/registry/reader.ts';

/** What a test writes down of an object; the rest of the metadata is filled in. */
export type Sketch<T extends KubeObject> = Omit<Partial<T>, 'metadata'> & { metadata: Partial<T['metadata']> & { name: string } };

/** A Reader over a map, with writes. Objects are frozen like those of the real one. */
export class FakeReader implements Reader {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Set<(next: KubeObject | undefined, previous: KubeObject | undefined) => void>>();
  #uids = 0;

  get<T extends KubeObject>(kind: Kind<T>, key: { namespace?: string; name: string }): T | undefined {
    return this.#of(kind).get(keyOf({ metadata: key })) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly T[] {
    const all = [...this.#of(kind).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object as T);
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  onChange<T extends KubeObject>(kind: Kind<T>, listener: (next: T | undefined, previous: T | undefined) => void): () => void {
    const listeners = this.#listeners.get(kind.plural) ?? new Set();
    this.#listeners.set(kind.plural, listeners);
    listeners.add(listener as (next: KubeObject | undefined, previous: KubeObject | undefined) => void);
    return () => listeners.delete(listener as (next: KubeObject | undefined, previous: KubeObject | undefined) => void);
  }

  /** Creates or replaces. */
  put<T extends KubeObject>(kind: Kind<T>, sketch: Sketch<T>): T {
    const key = keyOf({ metadata: sketch.metadata as KubeObject['metadata'] });
    const previous = this.#of(kind).get(key);
    const object = structuredClone({
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      ...sketch,
      metadata: {
        uid: previous?.metadata.uid ?? `uid-${++this.#uids}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        resourceVersion: String(this.#uids),
        ...sketch.metadata,
      },
    }) as unknown as T;
    deepFreeze(object);
    this.#of(kind).set(key, object);
    this.#notify(kind, object, previous);
    return object;
  }

  remove<T extends KubeObject>(kind: Kind<T>, key: { namespace?: string; name: string }): void {
    const previous = this.get(kind, key);
    this.#of(kind).delete(keyOf({ metadata: key }));
    if (previous) this.#notify(kind, undefined, previous);
  }

  #of(kind: { plural: string; group: string }): Map<string, KubeObject> {
    const id = `${kind.group}/${kind.plural}`;
    const found = this.#objects.get(id) ?? new Map<string, KubeObject>();
    this.#objects.set(id, found);
    return found;
  }

  #notify(kind: { plural: string }, next: KubeObject | undefined, previous: KubeObject | undefined): void {
    for (const listener of this.#listeners.get(kind.plural) ?? []) listener(next, previous);
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) deepFreeze(inner);
  Object.freeze(value);
}
