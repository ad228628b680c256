import type { OwnerReference } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import type { KubeObject } from '../../../api/meta.ts';

/** An object in the graph of ownership. */
export interface GraphNode {
  readonly kind: Kind;
  readonly object: KubeObject;
}

const foregroundFinalizer = 'foregroundDeletion';
const orphanFinalizer = 'orphan';

/** Marked as deleted, and still there. */
export function isBeingDeleted({ object }: GraphNode): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Deleted in the foreground: it waits until its dependents are gone. */
export function isDeletingDependents(node: GraphNode): boolean {
  return isBeingDeleted(node) && (node.object.metadata.finalizers ?? []).includes(foregroundFinalizer);
}

/** Deleted with its dependents to be left behind. */
export function isOrphaningDependents(node: GraphNode): boolean {
  return isBeingDeleted(node) && (node.object.metadata.finalizers ?? []).includes(orphanFinalizer);
}

/** Who owns whom, by uid. */
export class OwnershipGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get size(): number {
    return this.#nodes.size;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** Every object known, for looking at all of them again. */
  nodes(): IterableIterator<GraphNode> {
    return this.#nodes.values();
  }

  dependentsOf(uid: string): GraphNode[] {
    const uids = this.#dependents.get(uid);
    return uids ? [...uids].flatMap((dependent) => this.#nodes.get(dependent) ?? []) : [];
  }

  put(node: GraphNode): GraphNode | undefined {
    const { uid, ownerReferences } = node.object.metadata;
    const previous = this.#nodes.get(uid);
    if (previous) this.#unlink(previous.object);
    this.#nodes.set(uid, node);
    for (const { uid: owner } of ownerReferences ?? []) {
      let dependents = this.#dependents.get(owner);
      if (!dependents) this.#dependents.set(owner, (dependents = new Set()));
      dependents.add(uid);
    }
    return previous;
  }

  remove(uid: string): void {
    const node = this.#nodes.get(uid);
    if (!node) return;
    this.#unlink(node.object);
    this.#nodes.delete(uid);
  }

  #unlink({ metadata: { uid, ownerReferences } }: KubeObject): void {
    for (const { uid: owner } of ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }
}

/** What a look at each owner has shown. */
export interface OwnerStates {
  /** Alive: they keep the object. */
  readonly solid: readonly OwnerReference[];
  /** Gone. */
  readonly dangling: readonly OwnerReference[];
  /** Being deleted in the foreground, and waiting for this object. */
  readonly waiting: readonly OwnerReference[];
}

export type Verdict =
  | { readonly action: 'keep' }
  /** Some owners are gone, others live: only the references go. */
  | { readonly action: 'dropReferences'; readonly uids: readonly string[] }
  | { readonly action: 'delete'; readonly policy: 'Background' | 'Foreground' | 'Orphan'; readonly unblock: boolean };

/** What becomes of an object, given the state of its owners (upstream: garbagecollector.go, attemptToDeleteItem). */
export function judge(node: GraphNode, owners: OwnerStates, dependents: readonly GraphNode[]): Verdict {
  const { solid, dangling, waiting } = owners;
  if (solid.length > 0) {
    const gone = [...dangling, ...waiting].map((ref) => ref.uid);
    return gone.length > 0 ? { action: 'dropReferences', uids: gone } : { action: 'keep' };
  }
  if (dangling.length + waiting.length === 0) return { action: 'keep' };
  if (waiting.length > 0 && dependents.length > 0) {
    // A circle of foreground deletions would wait for itself for ever: this link lets go.
    return { action: 'delete', policy: 'Foreground', unblock: dependents.some(isDeletingDependents) };
  }
  const finalizers = node.object.metadata.finalizers ?? [];
  const policy = finalizers.includes(orphanFinalizer)
    ? 'Orphan'
    : finalizers.includes(foregroundFinalizer)
      ? 'Foreground'
      : 'Background';
  return { action: 'delete', policy, unblock: false };
}

/** The dependents that must be gone before a foreground deletion of their owner may finish. */
export function blockingDependents(ownerUid: string, dependents: readonly GraphNode[]): GraphNode[] {
  return dependents.filter(({ object }) =>
    (object.metadata.ownerReferences ?? []).some((ref) => ref.uid === ownerUid && ref.blockOwnerDeletion),
  );
}

/** What a deletion that waits for dependents, or lets them go, puts on the object. */
export const finalizersOfDeletion = { foreground: foregroundFinalizer, orphan: orphanFinalizer } as const;
