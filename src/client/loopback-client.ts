import type { Kind } from '../api/kind.ts';
import type { KubeObject, NewObject, ObjectKey, ObjectList } from '../api/meta.ts';
import type { Client, DeleteOptions, ListOptions, PatchType, WatchHandler, WatchOptions } from './client.ts';

/** The identity a caller acts under; authorization applies to it as to any other user. */
export interface Identity {
  readonly name: string;
  readonly groups: readonly string[];
}

/**
 * What the API server offers in process: the same handlers the HTTP layer calls, without HTTP. Objects it returns are shared and frozen.
 */
export interface InProcessApi {
  get<T extends KubeObject>(as: Identity, kind: Kind<T>, key: ObjectKey): Promise<T>;
  list<T extends KubeObject>(as: Identity, kind: Kind<T>, options: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(as: Identity, kind: Kind<T>, object: NewObject<T>): Promise<T>;
  update<T extends KubeObject>(as: Identity, kind: Kind<T>, object: T, subresource: string | undefined): Promise<T>;
  patch<T extends KubeObject>(
    as: Identity,
    kind: Kind<T>,
    key: ObjectKey,
    patch: { type: PatchType; body: unknown; subresource?: string; force?: boolean },
  ): Promise<T>;
  delete(as: Identity, kind: Kind, key: ObjectKey, options: DeleteOptions): Promise<void>;
  post<B, R>(as: Identity, kind: Kind, key: ObjectKey, subresource: string, body: B): Promise<R>;
  watch<T extends KubeObject>(as: Identity, kind: Kind<T>, options: WatchOptions, handler: WatchHandler<T>): () => void;
}

/** A Client that calls the server of its own process under a fixed identity. */
export function createLoopbackClient(api: InProcessApi, as: Identity): Client {
  return {
    get: (kind, key) => api.get(as, kind, key),
    list: (kind, options) => api.list(as, kind, options ?? {}),
    create: (kind, object) => api.create(as, kind, object),
    update: (kind, object, options) => api.update(as, kind, object, options?.subresource),
    patch: (kind, key, patch) => api.patch(as, kind, key, patch),
    delete: (kind, key, options) => api.delete(as, kind, key, options ?? {}),
    post: (kind, key, subresource, body) => api.post(as, kind, key, subresource, body),
    watch: (kind, options, handler) => api.watch(as, kind, options, handler),
  };
}
