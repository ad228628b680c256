import { type KubeObject, keyOf } from '../api/meta.ts';

/** The values under which an object is found in an index. */
export type IndexFunction<T extends KubeObject> = (object: T) => readonly string[];

/** Synchronous reads of an informer's objects. Returned arrays and objects are shared: never modify them. */
export interface Lister<T extends KubeObject> {
  readonly size: number;
  /** By `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): T | undefined;
  /** All, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly T[];
  /** Those an index (see `addIndex` and `standardIndexes`) holds under `value`. */
  byIndex(name: string, value: string): readonly T[];
}

/** Indexes every informer offers; each costs memory only from its first use on. */
export const standardIndexes = {
  namespace: 'namespace',
  /** By the uid of the controlling owner; objects without one are under `orphans(namespace)`. */
  controller: 'controller',
  /** By the uid of every owner. */
  owner: 'owner',
  /** By the node a pod is assigned to. */
  node: 'node',
} as const;

/** The value of the controller index that holds the objects of a namespace without a controlling owner. */
export function orphans(namespace: string): string {
  return `none/${namespace}`;
}

const standard: Readonly<Record<string, IndexFunction<KubeObject>>> = {
  [standardIndexes.namespace]: (object) => [object.metadata.namespace ?? ''],
  [standardIndexes.controller]: (object) => [
    object.metadata.ownerReferences?.find((r) => r.controller)?.uid ?? orphans(object.metadata.namespace ?? ''),
  ],
  [standardIndexes.owner]: (object) => (object.metadata.ownerReferences ?? []).map((r) => r.uid),
  [standardIndexes.node]: (object) => {
    const nodeName = (object as { spec?: { nodeName?: string } }).spec?.nodeName;
    return nodeName ? [nodeName] : [];
  },
};

interface Index<T extends KubeObject> {
  readonly values: IndexFunction<T>;
  readonly buckets: Map<string, Map<string, T>>;
}

const none: readonly never[] = [];

/** Objects by key, with secondary indexes that are built when first asked for and kept up to date from then on. */
export class ObjectIndex<T extends KubeObject> implements Lister<T> {
  readonly #byKey = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  list(namespace?: string): readonly T[] {
    return namespace === undefined ? [...this.#byKey.values()] : this.byIndex(standardIndexes.namespace, namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    let index = this.#indexes.get(name);
    if (!index) {
      const values = standard[name];
      if (!values) throw new Error(`there is no index ${name}`);
      index = this.#build(name, values as IndexFunction<T>);
    }
    const bucket = index.buckets.get(value);
    return bucket ? [...bucket.values()] : none;
  }

  /** Adds an index, or does nothing when it is there. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (!this.#indexes.has(name)) this.#build(name, values);
  }

  /** Returns what was there before. */
  put(object: T): T | undefined {
    const key = keyOf(object);
    const previous = this.#byKey.get(key);
    this.#byKey.set(key, object);
    for (const index of this.#indexes.values()) {
      if (previous) drop(index, key, previous);
      enter(index, key, object);
    }
    return previous;
  }

  /** Returns what was removed. */
  remove(key: string): T | undefined {
    const previous = this.#byKey.get(key);
    if (!previous) return undefined;
    this.#byKey.delete(key);
    for (const index of this.#indexes.values()) drop(index, key, previous);
    return previous;
  }

  #build(name: string, values: IndexFunction<T>): Index<T> {
    const index: Index<T> = { values, buckets: new Map() };
    for (const [key, object] of this.#byKey) enter(index, key, object);
    this.#indexes.set(name, index);
    return index;
  }
}

function enter<T extends KubeObject>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    let bucket = index.buckets.get(value);
    if (!bucket) index.buckets.set(value, (bucket = new Map()));
    bucket.set(key, object);
  }
}

function drop<T extends KubeObject>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const bucket = index.buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) index.buckets.delete(value);
  }
}
