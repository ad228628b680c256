import type { NamespaceCondition } from '../../../api/generated/types.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { withCondition } from '../support/conditions.ts';

/** What an attempt to empty a namespace has left. */
export interface Content {
  /** `deployments.apps` → objects that are still there. */
  readonly remaining: Map<string, number>;
  /** Finalizer → objects it holds. */
  readonly finalizers: Map<string, number>;
  readonly failures: string[];
}

type Told = Pick<NamespaceCondition, 'type' | 'status' | 'reason' | 'message'>;

const fine: readonly Told[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    status: 'False',
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    status: 'False',
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  {
    type: 'NamespaceDeletionContentFailure',
    status: 'False',
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
  { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' },
  {
    type: 'NamespaceFinalizersRemaining',
    status: 'False',
    reason: 'ContentHasNoFinalizers',
    message: 'All content-preserving finalizers finished',
  },
];

/** The conditions that tell of what is left, in upstream's words (namespace/deletion/status_condition_utils.go). */
export function remainingOf({ remaining, finalizers, failures }: Content): Told[] {
  const told: Told[] = [];
  const list = (entries: ReadonlyMap<string, number>, text: (name: string, count: number) => string): string =>
    [...entries]
      .map(([name, count]) => text(name, count))
      .sort()
      .join(', ');
  if (failures.length > 0) {
    const message = `Failed to delete all resource types, ${failures.length} remaining: ${[...failures].sort().join(', ')}`;
    told.push({ type: 'NamespaceDeletionContentFailure', status: 'True', reason: 'ContentDeletionFailed', message });
  }
  if (remaining.size > 0) {
    // Upstream always writes the dot, also before the empty core group.
    const resources = list(
      remaining,
      (name, count) => `${name.includes('.') ? name : `${name}.`} has ${count} resource instances`,
    );
    told.push({
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${resources}`,
    });
  }
  if (finalizers.size > 0) {
    const holders = list(finalizers, (name, count) => `${name} in ${count} resource instances`);
    const message = `Some content in the namespace has finalizers remaining: ${holders}`;
    told.push({ type: 'NamespaceFinalizersRemaining', status: 'True', reason: 'SomeFinalizersRemain', message });
  }
  return told;
}

/** All five conditions: what was told, and "fine" for the rest. */
export function conditionsFor(
  before: readonly NamespaceCondition[] | undefined,
  told: readonly Told[],
  nowMs: number,
): readonly NamespaceCondition[] {
  const lastTransitionTime = timestamp(nowMs);
  return fine.reduce<readonly NamespaceCondition[]>((conditions, ok) => {
    const next = told.find((c) => c.type === ok.type) ?? ok;
    return withCondition(conditions, { ...next, lastTransitionTime });
  }, before ?? []);
}
