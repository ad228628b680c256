import type { Kind } from '../../api/kind.ts';
import { expired } from '../../api/status-error.ts';
import { Compacted } from '../../storage/store.ts';
import type { CacheEvent } from '../../storage/watch-cache.ts';
import type { ObjectEntry, ObjectIndex } from './object-index.ts';
import { compileMatcher, type Selectors } from './object-matcher.ts';
import type { ObjectStore } from './object-store.ts';
import { prefixOf } from './stored-form.ts';

export type WatchType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** `entry` is the state before for DELETED; `revision` is that of the change and what the object is served with. */
export type WatchListener = (type: WatchType, entry: ObjectEntry, revision: number) => void;

export interface WatchRequest extends Selectors {
  readonly namespace?: string | undefined;
}

/** A watch that is ready to start: its selectors have been understood. */
export interface PreparedWatch {
  /** What exists now and is wanted, and the revision of that state. */
  initial(): { revision: number; entries: readonly ObjectEntry[] };
  /**
   * Delivers every change with a revision > `after`, those of the past before this returns. Objects that start to match are ADDED, those
   * that stop are DELETED. Throws StatusError 410 when the past is not known that far back. Returns the function that ends it.
   */
  follow(after: number, listener: WatchListener): () => void;
}

/** Throws StatusError 400 for selectors that cannot be understood. */
export function prepareWatch(objects: ObjectStore, kind: Kind, request: WatchRequest): PreparedWatch {
  const { matches, name } = compileMatcher(kind, request, (k, entry) => objects.decode(k, entry));
  const prefix = prefixOf(kind, request.namespace);
  const narrowed = name && (kind.scope === 'Cluster' || request.namespace) ? prefix + name : prefix;
  return {
    initial() {
      const entries = objects.cache.list(narrowed);
      return { revision: objects.revision, entries: matches ? entries.filter(matches) : [...entries] };
    },
    follow(after, listener) {
      try {
        return objects.cache.watch({ prefix: narrowed, after, onEvent: (event) => deliver(event, matches, listener) });
      } catch (error) {
        if (error instanceof Compacted) throw expired(`too old resource version: ${after} (${objects.revision})`);
        throw error;
      }
    },
  };
}

function deliver(
  event: CacheEvent<ObjectIndex>,
  matches: ((entry: ObjectEntry) => boolean) | undefined,
  listener: WatchListener,
): void {
  const { entry, previous, revision } = event;
  const matched = previous !== undefined && (!matches || matches(previous));
  if (entry && (!matches || matches(entry))) listener(matched ? 'MODIFIED' : 'ADDED', entry, revision);
  else if (matched) listener('DELETED', previous, revision);
}
