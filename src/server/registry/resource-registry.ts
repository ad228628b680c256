import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { notFound } from '../../api/status-error.ts';
import type { Call } from './call.ts';
import { createObject } from './create.ts';
import { type DeleteRequest, type DeleteResult, deleteObject } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import { type ListPage, type ListRequest, listPage } from './list.ts';
import type { ObjectEntry } from './object-index.ts';
import { type UpdateRequest, type UpdateResult, updateObject } from './update.ts';
import { type PreparedWatch, prepareWatch, type WatchRequest } from './watch.ts';
import type { WriteDeps } from './write-deps.ts';

type Key = { readonly namespace?: string | undefined; readonly name: string };

/**
 * The verbs on stored objects, the same for HTTP and in-process callers: admission, defaults, validation, preconditions, effects, storage.
 * The only writer of the store.
 */
export class ResourceRegistry {
  readonly deps: WriteDeps;

  constructor(deps: WriteDeps) {
    this.deps = deps;
  }

  /** The durable entry; throws StatusError 404. */
  entry(kind: Kind, key: Key): ObjectEntry {
    const entry = this.deps.objects.entry(kind, key);
    if (!entry) throw notFound(kind, key.name);
    return entry;
  }

  /** The object, shared and frozen; throws StatusError 404. */
  get<T extends KubeObject>(kind: Kind<T>, key: Key): T {
    return this.deps.objects.decode(kind, this.entry(kind, key));
  }

  list(kind: Kind, request: ListRequest): Promise<ListPage> {
    return listPage(this.deps, kind, request);
  }

  watch(kind: Kind, request: WatchRequest): PreparedWatch {
    return prepareWatch(this.deps.objects, kind, request);
  }

  create<T extends KubeObject>(call: Call, kind: Kind<T>, namespace: string | undefined, object: T): Promise<T> {
    return createObject(this.deps, call, kind, namespace, object);
  }

  update<T extends KubeObject>(call: Call, kind: Kind<T>, request: UpdateRequest<T>): Promise<UpdateResult<T>> {
    return updateObject(this.deps, call, kind, request);
  }

  delete<T extends KubeObject>(call: Call, kind: Kind<T>, key: Key, request: DeleteRequest): Promise<DeleteResult<T>> {
    return deleteObject(this.deps, call, kind, key, request);
  }

  deleteCollection(call: Call, kind: Kind, selection: ListRequest, request: DeleteRequest): Promise<ListPage> {
    return deleteCollection(this.deps, call, kind, selection, request);
  }
}
