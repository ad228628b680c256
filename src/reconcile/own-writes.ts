import { groupResource, type Kind } from '../api/kind.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../api/meta.ts';
import type { Client } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';

/** The informers the guard may ask; undefined for kinds (or selections) the controller does not see. */
export type InformerLookup = (kind: Kind) => Informer<KubeObject> | undefined;

/** One write that the informers may not have shown yet. */
interface Expectation {
  readonly informer: Informer<KubeObject>;
  /** The store revision of the write; absent for deletions, which are answered without one. */
  readonly revision?: number;
  readonly deleted?: { readonly key: string; readonly uid: string };
}

/**
 * Remembers what a controller wrote for one key, until its informers have shown it. Without it a cache that is late makes the controller
 * act twice on what it has already done, e.g. create the missing pods again.
 */
export class OwnWrites {
  readonly #expectations: Expectation[] = [];

  /** True when every write has been seen. */
  get seen(): boolean {
    return this.pending().length === 0;
  }

  /** The informers that have yet to show something. */
  pending(): Informer<KubeObject>[] {
    const open = this.#expectations.filter((e) => !isSeen(e));
    this.#expectations.length = 0;
    this.#expectations.push(...open);
    return open.map((e) => e.informer);
  }

  /** The same client, its writes remembered. */
  record(client: Client, lookup: InformerLookup): Client {
    const written = <T extends KubeObject>(kind: Kind<T>, object: T): T => {
      const informer = lookup(kind);
      const revision = Number(object.metadata?.resourceVersion);
      if (informer && revision > 0) this.#expectations.push({ informer, revision });
      return object;
    };
    return {
      get: (kind, key) => client.get(kind, key),
      list: (kind, options) => client.list(kind, options),
      watch: (kind, options, handler) => client.watch(kind, options, handler),
      create: async (kind, object) => written(kind, await client.create(kind, object)),
      update: async (kind, object, options) => written(kind, await client.update(kind, object, options)),
      patch: async (kind, key, patch) => written(kind, await client.patch(kind, key, patch)),
      delete: async (kind, key, options) => {
        const known = lookup(kind)?.get(keyOf({ metadata: key }));
        await client.delete(kind, key, options);
        if (known) this.#deleted(lookup(kind), key, known.metadata.uid);
      },
      post: (kind, key, subresource, body) => client.post(kind, key, subresource, body),
    };
  }

  #deleted(informer: Informer<KubeObject> | undefined, key: ObjectKey, uid: string): void {
    if (informer) this.#expectations.push({ informer, deleted: { key: keyOf({ metadata: key }), uid } });
  }
}

function isSeen({ informer, revision, deleted }: Expectation): boolean {
  if (revision !== undefined) return informer.revision >= revision;
  if (!deleted) return true;
  const now = informer.get(deleted.key);
  return !now || now.metadata.uid !== deleted.uid || now.metadata.deletionTimestamp !== undefined;
}

/** How lookups are keyed: one kind, whatever object describes it. */
export function kindId(kind: Kind): string {
  return `${groupResource(kind)}/${kind.version}`;
}
