import { groupVersionResource, type Kind } from '../../api/kind.ts';

/** The kinds the server serves now: the built-in ones, and those that custom resource definitions add while it runs. */
export class KindTable {
  readonly #byResource = new Map<string, Kind>();
  readonly #byStorageResource = new Map<string, Kind>();
  readonly #listeners = new Set<() => void>();
  #all: readonly Kind[] = [];

  constructor(kinds: readonly Kind[]) {
    this.replace([], kinds);
  }

  /** Every kind, in the order discovery lists them. The array is replaced, never changed. */
  get all(): readonly Kind[] {
    return this.#all;
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#byResource.get(groupVersionResource({ group, version, plural }));
  }

  /** True when any kind of a group is served, in whatever version. */
  hasGroup(group: string): boolean {
    return this.#all.some((kind) => kind.group === group);
  }

  /** The kind in whose form the objects under `/registry/<storageResource>/` are stored. */
  stored(storageResource: string): Kind | undefined {
    return this.#byStorageResource.get(storageResource);
  }

  /** Removes some kinds and adds others in one step; listeners hear of it once. */
  replace(removed: readonly Kind[], added: readonly Kind[]): void {
    for (const kind of removed) {
      this.#byResource.delete(groupVersionResource(kind));
      if (this.#byStorageResource.get(kind.storageResource) === kind) this.#byStorageResource.delete(kind.storageResource);
    }
    for (const kind of added) {
      this.#byResource.set(groupVersionResource(kind), kind);
      this.#byStorageResource.set(kind.storageResource, kind.storageKind ?? kind);
    }
    this.#all = [...this.#all.filter((kind) => !removed.includes(kind)), ...added];
    for (const listener of this.#listeners) listener();
  }

  /** Called after each change. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
