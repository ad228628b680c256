import { type BodyKind, decodeValue } from '../../api/codec/decode-body.ts';
import type { Kind } from '../../api/kind.ts';
import {
  type AnyObject,
  apiVersionOf,
  type KubeObject,
  type NewObject,
  type ObjectKey,
  type ObjectList,
} from '../../api/meta.ts';
import { cloneJson } from '../../api/patch/json-value.ts';
import { badRequest, internalError, resourceNotFound } from '../../api/status-error.ts';
import type { DeleteOptions, ListOptions, PatchType, WatchHandler, WatchOptions } from '../../client/client.ts';
import type { Identity, InProcessApi } from '../../client/loopback-client.ts';
import type { UserInfo } from '../auth/user.ts';
import { serviceAccountUserName } from '../auth/user-names.ts';
import { authorize } from '../http/auth-filters.ts';
import type { Call } from '../registry/call.ts';
import { parseRevision } from '../registry/list.ts';
import type { DispatchDeps } from './dispatch.ts';
import { patchObject } from './patch.ts';
import { postToSubresource } from './post.ts';
import { changeProjected } from './projected.ts';

const controllerAccounts = serviceAccountUserName('kube-system', '');

interface Access {
  readonly verb: string;
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** The API for parts of the same process: the registry behind the HTTP handlers, with authorization, without HTTP. */
export class InProcess implements InProcessApi {
  readonly #deps: DispatchDeps;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  async get<T extends KubeObject>(as: Identity, kind: Kind<T>, key: ObjectKey): Promise<T> {
    this.#authorize(as, { verb: 'get', kind, ...key });
    return this.#deps.registry.get(kind, key);
  }

  async list<T extends KubeObject>(as: Identity, kind: Kind<T>, options: ListOptions): Promise<ObjectList<T>> {
    this.#authorize(as, { verb: 'list', kind, namespace: options.namespace });
    const page = await this.#deps.registry.list(kind, options);
    const { objects } = this.#deps.registry.deps;
    return {
      items: page.entries.map((entry) => objects.decode(kind, entry)),
      metadata: {
        resourceVersion: String(page.revision),
        ...(page.continue === undefined ? {} : { continue: page.continue }),
        ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
      },
    };
  }

  async create<T extends KubeObject>(as: Identity, kind: Kind<T>, object: NewObject<T>): Promise<T> {
    const { namespace } = object.metadata;
    const call = this.#authorize(as, { verb: 'create', kind, namespace });
    const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
    const full = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...rest } as unknown as T;
    return this.#deps.registry.create(call, kind, namespace, asSent(kind, full));
  }

  async update<T extends KubeObject>(as: Identity, kind: Kind<T>, object: T, subresource: string | undefined): Promise<T> {
    const key = keyOf(kind, object);
    const call = this.#authorize(as, { verb: 'update', kind, ...key, subresource });
    const found = subresource ? this.#deps.subresources.find(kind, subresource) : undefined;
    if (subresource && !found) throw resourceNotFound();
    if (found?.projection) {
      const { projection } = found;
      const options = {
        kind,
        key,
        subresource: subresource!,
        projection,
        change: () => asSent<KubeObject>(projection.body, object),
      };
      return (await changeProjected(this.#deps, call, options)) as T;
    }
    const result = await this.#deps.registry.update(call, kind as Kind, {
      key,
      transform: () => asSent(kind, object),
      allowCreate: !subresource && kind.allowCreateOnUpdate,
      authorizeCreate: () => this.#authorize(as, { verb: 'create', kind, ...key }),
      ...(found?.rules ? { rules: found.rules } : {}),
    });
    return result.object as T;
  }

  async patch<T extends KubeObject>(
    as: Identity,
    kind: Kind<T>,
    key: ObjectKey,
    patch: { type: PatchType; body: unknown; subresource?: string; force?: boolean },
  ): Promise<T> {
    const call = this.#authorize(as, { verb: 'patch', kind, ...key, subresource: patch.subresource });
    const found = patch.subresource ? this.#deps.subresources.find(kind, patch.subresource) : undefined;
    if (patch.subresource && !found?.rules) throw resourceNotFound();
    const { object } = await patchObject(this.#deps, call, {
      kind,
      key,
      authorizeCreate: () => this.#authorize(as, { verb: 'create', kind, ...key }),
      patch: {
        type: patch.type,
        bytes: new TextEncoder().encode(JSON.stringify(patch.body)),
        fieldValidation: 'Ignore',
        force: patch.force ?? false,
      },
      ...(found?.rules ? { rules: found.rules } : {}),
    });
    return object as T;
  }

  async delete(as: Identity, kind: Kind, key: ObjectKey, options: DeleteOptions): Promise<void> {
    const call = this.#authorize(as, { verb: 'delete', kind, ...key });
    await this.#deps.registry.delete(call, kind, key, {
      gracePeriodSeconds: options.gracePeriodSeconds,
      propagation: options.propagationPolicy,
      preconditions: options.preconditions,
    });
  }

  async post<B, R>(as: Identity, kind: Kind, key: ObjectKey, subresource: string, body: B): Promise<R> {
    const call = this.#authorize(as, { verb: 'create', kind, ...key, subresource });
    const posted = this.#deps.subresources.find(kind, subresource)?.posted;
    if (!posted) throw resourceNotFound();
    const sent = asSent(posted.body, body as AnyObject);
    const { object } = await postToSubresource(posted, subresource, { deps: this.#deps, call, kind, key }, sent);
    return object as R;
  }

  watch<T extends KubeObject>(as: Identity, kind: Kind<T>, options: WatchOptions, handler: WatchHandler<T>): () => void {
    let stop: (() => void) | undefined;
    let over = false;
    const fail = (error: unknown): void => {
      queueMicrotask(() => {
        if (over) return;
        over = true;
        handler.onEnd(error instanceof Error ? error : internalError(error));
      });
    };
    try {
      const { namespace, labelSelector, fieldSelector } = options;
      this.#authorize(as, { verb: 'watch', kind, namespace });
      const after = parseRevision(options.resourceVersion);
      if (!after) throw badRequest('a watch needs the resourceVersion of the list it follows');
      const watch = this.#deps.registry.watch(kind, { namespace, labelSelector, fieldSelector });
      const { objects } = this.#deps.registry.deps;
      stop = watch.follow(after, (type, entry, revision) => {
        if (!over) handler.onEvent(type, withRevision(objects.decode(kind, entry), revision));
      });
    } catch (error) {
      fail(error);
    }
    return () => {
      over = true;
      stop?.();
    };
  }

  /** Throws StatusError 403; returns what goes with the call. */
  #authorize(as: Identity, access: Access): Call {
    const { verb, kind, namespace, name, subresource } = access;
    const user: UserInfo = { name: as.name, groups: as.groups, extra: {} };
    authorize(this.#deps.authorizer, {
      user,
      verb,
      path: '',
      group: kind.group,
      version: kind.version,
      resource: kind.plural,
      ...(subresource ? { subresource } : {}),
      ...(namespace ? { namespace } : {}),
      ...(name ? { name } : {}),
    });
    return { user, fieldManager: managerName(as.name), dryRun: false, warn: () => {} };
  }
}

/**
 * The caller's object in the form an HTTP body would get, as a copy of its own: so the same object becomes the same stored bytes whoever writes
 * it, and a write that changes nothing is seen to change nothing. Throws StatusError 400 for values of the wrong type.
 */
function asSent<T extends KubeObject>(kind: BodyKind, object: T): T {
  return decodeValue<T>(cloneJson(object), { kind, fieldValidation: 'Ignore' }).object;
}

/** Controllers have an account each, and upstream's one program: tools tell what it wrote from what people wrote by its name. */
function managerName(user: string): string {
  if (user.startsWith(controllerAccounts)) return 'kube-controller-manager';
  return user.slice(user.lastIndexOf(':') + 1);
}

function keyOf(kind: Kind, object: KubeObject): ObjectKey {
  const { namespace, name } = object.metadata;
  return kind.scope === 'Namespaced' && namespace !== undefined ? { namespace, name } : { name };
}

/** A DELETED event carries the last state with the revision of the deletion. */
function withRevision<T extends KubeObject>(object: T, revision: number): T {
  const resourceVersion = String(revision);
  if (object.metadata.resourceVersion === resourceVersion) return object;
  return Object.freeze({ ...object, metadata: Object.freeze({ ...object.metadata, resourceVersion }) });
}
