import type { Namespace } from '../../api/kinds/core/namespace.ts';
import type { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import type { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import type { StorageClass } from '../../api/kinds/storage/storage-class.ts';
import type { Lister } from '../../client/object-index.ts';
import type { NodeInfo } from './node-info.ts';

/** What can happen in the cluster that may let a waiting pod fit. */
export type ClusterEvent = 'NodeAdd' | 'NodeUpdate' | 'PodDelete' | 'PodPlaced' | 'PodUpdate' | 'Volume' | 'Namespace';

/** Why a node is not possible. `unresolvable`: not even after evicting every pod on it. */
export interface Rejection {
  readonly reasons: readonly string[];
  readonly unresolvable?: boolean;
}

/** The state of the cluster during one decision. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  readonly namespaces: Lister<Namespace>;
  readonly claims: Lister<PersistentVolumeClaim>;
  readonly volumes: Lister<PersistentVolume>;
  readonly storageClasses: Lister<StorageClass>;
}

/** A filter prepared for one pod: a rejection per node that is not possible, undefined otherwise. */
export type NodeFilter = (node: NodeInfo) => Rejection | undefined;

export interface FilterPlugin {
  readonly name: string;
  /** The events after which a pod this plugin has rejected may fit. */
  readonly wokenBy: readonly ClusterEvent[];
  /**
   * Prepares the filter for a pod. Undefined: it has nothing to say about this pod. A Rejection: no node whatsoever is possible.
   */
  prepare(pod: Pod, snapshot: Snapshot): NodeFilter | Rejection | undefined;
}

/** A score prepared for one pod and the nodes that are possible: one number per node, in their order. */
export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /** Undefined: it has no preference. Otherwise numbers from 0 (worst) to 100 (best), as many as `nodes`. */
  score(pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): readonly number[] | undefined;
}

/** The best a plugin can say of a node; the worst is 0. */
export const maxScore = 100;

/** Stretches raw numbers to 0…100; `reverse`: the lowest is the best (upstream: helper.DefaultNormalizeScore). */
export function normalized(raw: readonly number[], reverse = false): number[] {
  const highest = Math.max(0, ...raw);
  if (highest === 0) return raw.map(() => (reverse ? maxScore : 0));
  return raw.map((n) => {
    const share = Math.floor((n * maxScore) / highest);
    return reverse ? maxScore - share : share;
  });
}
