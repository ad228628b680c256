import type { OwnerReference } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import type { KubeObject, ObjectKey } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Component } from '../../../lib/component.ts';
import type { Logger } from '../../../lib/log.ts';
import { WorkQueue, type WorkQueueObserver } from '../../../lib/workqueue.ts';
import type { MetadataWatch } from '../../../reconcile/metadata-watch.ts';
import {
  blockingDependents,
  finalizersOfDeletion,
  type GraphNode,
  isBeingDeleted,
  isDeletingDependents,
  isOrphaningDependents,
  judge,
  type OwnerStates,
  OwnershipGraph,
} from './graph.ts';

export interface GarbageCollectorDeps {
  readonly client: Client;
  readonly metadata: MetadataWatch;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer?: WorkQueueObserver;
}

const retry = { initialMs: 100, maxMs: 5 * 60_000, jitter: 0.1 };
const workers = 8;

/**
 * Deletes objects whose owners are gone, carries out foreground and orphaning deletions (upstream: pkg/controller/garbagecollector).
 * Works for every kind the metadata watch knows.
 */
export function createGarbageCollector(deps: GarbageCollectorDeps): Component {
  return new GarbageCollector(deps);
}

class GarbageCollector implements Component {
  readonly name = 'garbage-collector';
  readonly #deps: GarbageCollectorDeps;
  readonly #graph = new OwnershipGraph();
  /** Keys are uids. */
  readonly #queue: WorkQueue;
  #stopListening: (() => void) | undefined;

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      work: (uid) => this.#process(uid),
      concurrency: workers,
      backoff: retry,
      clock: deps.clock,
      observer: deps.observer,
      onError: (uid, error, retryMs) => {
        const object = this.#graph.get(uid)?.object;
        deps.log.debug('collecting an object failed, trying again', {
          kind: object?.kind,
          name: object?.metadata.name,
          retryMs,
          error,
        });
      },
    });
  }

  async start(): Promise<void> {
    this.#stopListening = this.#deps.metadata.addHandler({
      onChange: (kind, object) => this.#changed({ kind, object }),
      onDelete: (_kind, object) => this.#deleted(object),
      onKinds: () => this.#lookAgain(),
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    await this.#queue.stop();
  }

  #changed(node: GraphNode): void {
    const { uid, ownerReferences } = node.object.metadata;
    const previous = this.#graph.put(node);
    const startsWaiting = (test: (n: GraphNode) => boolean): boolean => test(node) && !(previous && test(previous));
    if (startsWaiting(isDeletingDependents) || startsWaiting(isOrphaningDependents)) this.#queue.add(uid);
    else if (ownerReferences?.length && !sameOwners(previous?.object, node.object)) this.#queue.add(uid);
    // A dependent that no longer blocks may let its owner go.
    for (const ref of [...(previous?.object.metadata.ownerReferences ?? []), ...(ownerReferences ?? [])]) {
      const owner = this.#graph.get(ref.uid);
      if (owner && previous && isDeletingDependents(owner)) this.#queue.add(ref.uid);
    }
  }

  #deleted({ metadata: { uid } }: KubeObject): void {
    const owners = this.#graph.get(uid)?.object.metadata.ownerReferences ?? [];
    this.#graph.remove(uid);
    for (const dependent of this.#graph.dependentsOf(uid)) this.#queue.add(dependent.object.metadata.uid);
    for (const { uid: owner } of owners) if (this.#graph.get(owner)) this.#queue.add(owner);
  }

  /** A kind has come: owners of that kind could not be judged before. */
  #lookAgain(): void {
    for (const { object } of this.#graph.nodes())
      if (object.metadata.ownerReferences?.length) this.#queue.add(object.metadata.uid);
  }

  async #process(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    if (isOrphaningDependents(node)) await this.#orphan(node);
    else if (isDeletingDependents(node)) await this.#finishForeground(node);
    else if (!isBeingDeleted(node)) await this.#collect(node);
  }

  async #orphan(node: GraphNode): Promise<void> {
    const { uid } = node.object.metadata;
    for (const dependent of this.#graph.dependentsOf(uid)) await this.#dropReferences(dependent, [uid]);
    await this.#removeFinalizer(node, finalizersOfDeletion.orphan);
  }

  /** The owner may go when nothing that blocks it is left; until then its dependents are seen to. */
  async #finishForeground(node: GraphNode): Promise<void> {
    const { uid } = node.object.metadata;
    const blocking = blockingDependents(uid, this.#graph.dependentsOf(uid));
    if (blocking.length === 0) {
      await this.#removeFinalizer(node, finalizersOfDeletion.foreground);
      return;
    }
    for (const dependent of this.#graph.dependentsOf(uid)) {
      if (!isBeingDeleted(dependent)) this.#queue.add(dependent.object.metadata.uid);
    }
  }

  async #collect(node: GraphNode): Promise<void> {
    if (!node.object.metadata.ownerReferences?.length) return;
    const states = await this.#ownerStates(node);
    const { uid } = node.object.metadata;
    const verdict = judge(node, states, this.#graph.dependentsOf(uid));
    if (verdict.action === 'dropReferences') await this.#dropReferences(node, verdict.uids);
    if (verdict.action !== 'delete') return;
    const fresh = await this.#fresh(node);
    // The cache may be behind: an object that was adopted meanwhile is judged again when its event comes.
    if (!fresh || !sameOwners(fresh, node.object)) return;
    if (verdict.unblock) await this.#unblock(node, fresh);
    this.#deps.log.debug('deleting an object whose owners are gone', { kind: node.kind.kind, name: node.object.metadata.name });
    await this.#ignoreMissing(
      this.#deps.client.delete(node.kind, keyOfObject(node.object), {
        propagationPolicy: verdict.policy,
        preconditions: { uid },
      }),
    );
  }

  async #ownerStates(node: GraphNode): Promise<OwnerStates> {
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const ref of node.object.metadata.ownerReferences ?? []) {
      const state = await this.#ownerState(node, ref);
      (state === 'solid' ? solid : state === 'waiting' ? waiting : dangling).push(ref);
    }
    return { solid, dangling, waiting };
  }

  async #ownerState(node: GraphNode, ref: OwnerReference): Promise<'solid' | 'dangling' | 'waiting'> {
    const kind = this.#deps.metadata.kindOf(ref);
    // Kinds nobody knows, and namespaced owners of cluster-scoped objects, cannot be judged: the object stays.
    if (!kind || (kind.scope === 'Namespaced' && !node.object.metadata.namespace)) return 'solid';
    const known = this.#graph.get(ref.uid);
    const namespace = kind.scope === 'Namespaced' ? node.object.metadata.namespace : undefined;
    const isItself = (owner: KubeObject): boolean =>
      owner.metadata.uid === ref.uid && owner.metadata.name === ref.name && owner.metadata.namespace === namespace;
    if (known && known.kind.kind === ref.kind && isItself(known.object)) {
      return isDeletingDependents(known) ? 'waiting' : 'solid';
    }
    const owner = await this.#get(kind, { ...(namespace ? { namespace } : {}), name: ref.name });
    return owner && isItself(owner) ? 'solid' : 'dangling';
  }

  async #dropReferences(node: GraphNode, uids: readonly string[]): Promise<void> {
    const fresh = await this.#fresh(node);
    if (!fresh) return;
    const left = (fresh.metadata.ownerReferences ?? []).filter((ref) => !uids.includes(ref.uid));
    if (left.length === (fresh.metadata.ownerReferences ?? []).length) return;
    await this.#patchMetadata(node, fresh, { ownerReferences: left.length > 0 ? left : null });
  }

  async #unblock(node: GraphNode, fresh: KubeObject): Promise<void> {
    const ownerReferences = (fresh.metadata.ownerReferences ?? []).map((ref) => ({ ...ref, blockOwnerDeletion: false }));
    await this.#patchMetadata(node, fresh, { ownerReferences });
  }

  async #removeFinalizer(node: GraphNode, finalizer: string): Promise<void> {
    const fresh = await this.#fresh(node);
    if (!fresh?.metadata.finalizers?.includes(finalizer)) return;
    const left = fresh.metadata.finalizers.filter((f) => f !== finalizer);
    await this.#patchMetadata(node, fresh, { finalizers: left.length > 0 ? left : null });
  }

  async #patchMetadata({ kind, object }: GraphNode, fresh: KubeObject, change: Readonly<Record<string, unknown>>): Promise<void> {
    const { uid, resourceVersion } = fresh.metadata;
    const body = { metadata: { uid, resourceVersion, ...change } };
    await this.#ignoreMissing(this.#deps.client.patch(kind, keyOfObject(object), { type: 'merge', body }));
  }

  /** The object as it is now, unless it is gone or another has taken its name. */
  async #fresh({ kind, object }: GraphNode): Promise<KubeObject | undefined> {
    const fresh = await this.#get(kind, keyOfObject(object));
    return fresh?.metadata.uid === object.metadata.uid ? fresh : undefined;
  }

  async #get(kind: Kind, key: ObjectKey): Promise<KubeObject | undefined> {
    return this.#ignoreMissing(this.#deps.client.get(kind, key));
  }

  async #ignoreMissing<R>(request: Promise<R>): Promise<R | undefined> {
    try {
      return await request;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

function sameOwners(a: KubeObject | undefined, b: KubeObject): boolean {
  const text = (object: KubeObject | undefined): string =>
    (object?.metadata.ownerReferences ?? []).map((r) => `${r.uid} ${r.kind} ${r.name}`).join('\n');
  return a !== undefined && text(a) === text(b);
}

function keyOfObject({ metadata: { namespace, name } }: KubeObject): ObjectKey {
  return { ...(namespace ? { namespace } : {}), name };
}
