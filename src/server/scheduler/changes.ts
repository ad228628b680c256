import type { Node } from '../../api/kinds/core/node.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';

/** True when something changed that a filter looks at; the heartbeats and image lists of nodes do not count. */
export function nodeChangeMatters(next: Node, previous: Node): boolean {
  return (
    next.spec.unschedulable !== previous.spec.unschedulable ||
    differs(next.spec.taints, previous.spec.taints) ||
    differs(next.metadata.labels, previous.metadata.labels) ||
    differs(next.status.allocatable, previous.status.allocatable)
  );
}

/** True when a pod asks for something else, or others see it differently. */
export function podChangeMatters(next: Pod, previous: Pod): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    differs(next.metadata.labels, previous.metadata.labels) ||
    differs(next.spec, previous.spec) ||
    (next.metadata.deletionTimestamp === undefined) !== (previous.metadata.deletionTimestamp === undefined)
  );
}

function differs(a: unknown, b: unknown): boolean {
  return a !== b && JSON.stringify(a) !== JSON.stringify(b);
}
