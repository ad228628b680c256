import type { LabelSelector, TopologySpreadConstraint } from '../../../api/generated/types.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { nodeMatchesPod } from '../../../api/node-selector.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { untoleratedTaint } from '../../../api/taints.ts';
import { type FilterPlugin, maxScore, type ScorePlugin, type Snapshot } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

/** One constraint with the number of matching pods per domain. */
interface Spread {
  readonly constraint: TopologySpreadConstraint;
  readonly counts: ReadonlyMap<string, number>;
  readonly countsItself: boolean;
}

const unbalanced = ["node(s) didn't match pod topology spread constraints"];
const labelMissing = ["node(s) didn't match pod topology spread constraints (missing required label)"];

/** Constraints with DoNotSchedule. */
export const podTopologySpread: FilterPlugin = {
  name: 'PodTopologySpread',
  wokenBy: ['NodeAdd', 'NodeUpdate', 'PodDelete', 'PodPlaced', 'PodUpdate'],
  prepare(pod, snapshot) {
    const spreads = spreadsOf(pod, 'DoNotSchedule', snapshot);
    if (spreads.length === 0) return undefined;
    return (node) => {
      for (const { constraint, counts, countsItself } of spreads) {
        const domain = node.labels[constraint.topologyKey];
        if (domain === undefined) return { reasons: labelMissing, unresolvable: true };
        const skew = (counts.get(domain) ?? 0) + (countsItself ? 1 : 0) - lowestCount(constraint, counts);
        if (skew > constraint.maxSkew) return { reasons: unbalanced };
      }
      return undefined;
    };
  },
};

/** Fewer domains than minDomains count as if an empty one existed. */
function lowestCount(constraint: TopologySpreadConstraint, counts: ReadonlyMap<string, number>): number {
  if (counts.size < (constraint.minDomains ?? 1)) return 0;
  return counts.size === 0 ? 0 : Math.min(...counts.values());
}

/** Constraints with ScheduleAnyway: the emptier the domain the better. */
export const podTopologySpreadScore: ScorePlugin = {
  name: 'PodTopologySpread',
  weight: 2,
  score(pod, nodes, snapshot) {
    const spreads = spreadsOf(pod, 'ScheduleAnyway', snapshot);
    if (spreads.length === 0) return undefined;
    const loads = nodes.map((node) => loadOf(node, spreads));
    const known = loads.filter((load) => load !== undefined);
    const [lowest, highest] = [Math.min(...known), Math.max(...known)];
    return loads.map((load) => {
      if (load === undefined) return 0;
      return highest === 0 ? maxScore : Math.floor((maxScore * (highest + lowest - load)) / highest);
    });
  },
};

function loadOf(node: NodeInfo, spreads: readonly Spread[]): number | undefined {
  let load = 0;
  for (const { constraint, counts } of spreads) {
    const domain = node.labels[constraint.topologyKey];
    if (domain === undefined) return undefined;
    // Many domains make each pod weigh more, as upstream does.
    load += (counts.get(domain) ?? 0) * Math.log(counts.size + 2) + (constraint.maxSkew - 1);
  }
  return load;
}

/** What pods without constraints of their own get: upstream's system defaults (pkg/scheduler/framework/plugins/podtopologyspread). */
const systemDefaults: readonly TopologySpreadConstraint[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
];

function spreadsOf(pod: Pod, whenUnsatisfiable: string, snapshot: Snapshot): Spread[] {
  const own = pod.spec.topologySpreadConstraints ?? [];
  if (own.length === 0) return whenUnsatisfiable === 'ScheduleAnyway' ? defaultSpreads(pod, snapshot) : [];
  const constraints = own.filter((c) => c.whenUnsatisfiable === whenUnsatisfiable);
  const keys = constraints.map((c) => c.topologyKey);
  return constraints.map((constraint) => {
    const selector = selectorOf(constraint, pod);
    const matches = (other: Pod): boolean => matchesLabelSelector(selector, other.metadata.labels);
    const counts = new Map<string, number>();
    for (const node of snapshot.nodes) {
      if (!keys.every((key) => node.labels[key] !== undefined) || !counted(constraint, pod, node)) continue;
      const domain = node.labels[constraint.topologyKey]!;
      counts.set(domain, (counts.get(domain) ?? 0) + matchingPods(pod, matches, node));
    }
    return { constraint, counts, countsItself: matches(pod) };
  });
}

/** Replicas of one controller keep apart, over the domains every node has a label for. */
function defaultSpreads(pod: Pod, snapshot: Snapshot): Spread[] {
  const owner = controllerUid(pod);
  if (owner === undefined) return [];
  const known = systemDefaults.filter(({ topologyKey }) =>
    snapshot.nodes.every((node) => node.labels[topologyKey] !== undefined),
  );
  return known.map((constraint) => {
    const counts = new Map<string, number>();
    for (const node of snapshot.nodes) {
      const domain = node.labels[constraint.topologyKey]!;
      counts.set(domain, (counts.get(domain) ?? 0) + matchingPods(pod, (other) => controllerUid(other) === owner, node));
    }
    return { constraint, counts, countsItself: true };
  });
}

function controllerUid(pod: Pod): string | undefined {
  return pod.metadata.ownerReferences?.find((owner) => owner.controller)?.uid;
}

function matchingPods(pod: Pod, matches: (other: Pod) => boolean, node: NodeInfo): number {
  let count = 0;
  for (const other of node.pods.values()) {
    if (other.metadata.namespace !== pod.metadata.namespace || other.metadata.deletionTimestamp !== undefined) continue;
    if (matches(other)) count++;
  }
  return count;
}

/** nodeAffinityPolicy and nodeTaintsPolicy say whether nodes the pod cannot use count as domains. */
function counted(constraint: TopologySpreadConstraint, pod: Pod, node: NodeInfo): boolean {
  if (constraint.nodeAffinityPolicy !== 'Ignore' && !nodeMatchesPod(pod.spec, node)) return false;
  if (constraint.nodeTaintsPolicy !== 'Honor') return true;
  return !untoleratedTaint(node.node?.spec.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']);
}

function selectorOf(constraint: TopologySpreadConstraint, pod: Pod): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys = [] } = constraint;
  const labels = pod.metadata.labels ?? {};
  const extra = matchLabelKeys.filter((key) => labels[key] !== undefined).map((key) => [key, labels[key]!] as const);
  if (extra.length === 0 || !labelSelector) return labelSelector;
  return { ...labelSelector, matchLabels: { ...labelSelector.matchLabels, ...Object.fromEntries(extra) } };
}
