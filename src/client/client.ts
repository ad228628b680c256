import type { Kind } from '../api/kind.ts';
import type { KubeObject, NewObject, ObjectKey, ObjectList } from '../api/meta.ts';

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events strictly after this version. */
  readonly resourceVersion: string;
}

export interface WatchHandler<T extends KubeObject> {
  /** Objects are shared and frozen: never modify them. For BOOKMARK only metadata.resourceVersion is set. */
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', object: T): void;
  /** The watch has ended; `error` is a StatusError (410 Expired: list again), a transport error, or undefined for a normal end. Called once. */
  onEnd(error: Error | undefined): void;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * The Kubernetes API for our own parts. Two implementations that a caller cannot tell apart: loopback (in process, shares decoded frozen
 * objects) and HTTPS. Every method rejects with a StatusError for what the server answers, and with another Error when it cannot be reached.
 */
export interface Client {
  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): Promise<T>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(kind: Kind<T>, object: NewObject<T>): Promise<T>;
  /** PUT; `object.metadata.resourceVersion` is the precondition. */
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: { subresource?: string }): Promise<T>;
  patch<T extends KubeObject>(
    kind: Kind<T>,
    key: ObjectKey,
    patch: { type: PatchType; body: unknown; subresource?: string; force?: boolean },
  ): Promise<T>;
  /** Resolves when the server has accepted the deletion. */
  delete<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** POST to a sub-resource: binding, eviction, token. Resolves with the answered object. */
  post<B, R>(kind: Kind, key: ObjectKey, subresource: string, body: B): Promise<R>;
  /** Never throws: problems arrive at `onEnd`. Returns the function that ends the watch (onEnd is then not called). */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions, handler: WatchHandler<T>): () => void;
}
