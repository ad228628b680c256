import type { Pod } from '../../api/kinds/core/pod.ts';
import type { ClusterEvent, FilterPlugin, NodeFilter, Rejection, ScorePlugin, Snapshot } from './framework.ts';
import type { NodeInfo } from './node-info.ts';

export interface Plugins {
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly ScorePlugin[];
}

/** Why a pod fits nowhere. */
export interface Diagnosis {
  readonly nodeCount: number;
  /** When a plugin ruled out the whole cluster. */
  readonly overall: string | undefined;
  readonly rejections: ReadonlyMap<NodeInfo, Rejection>;
  /** What may change it. */
  readonly wokenBy: ReadonlySet<ClusterEvent>;
}

export type Decision =
  | { readonly node: NodeInfo; readonly diagnosis?: undefined }
  | { readonly node?: undefined; readonly diagnosis: Diagnosis };

/** The pods another decision has promised room on a node to (they wait for their victims to end). */
export type Nominations = (node: NodeInfo) => readonly Pod[];

interface PreparedFilter {
  readonly plugin: FilterPlugin;
  readonly filter: NodeFilter;
}

/** Above this many nodes only a share of them is searched; upstream's minFeasibleNodesToFind. */
const enoughFeasibleNodes = 100;

/** Filters the nodes, scores those that are possible, and picks one of the best. `random` in [0, 1) breaks ties. */
export function decide(options: {
  pod: Pod;
  snapshot: Snapshot;
  plugins: Plugins;
  nominations: Nominations;
  random: () => number;
}): Decision {
  const { pod, snapshot, plugins, nominations, random } = options;
  const prepared = prepareFilters(pod, snapshot, plugins.filters);
  if (!Array.isArray(prepared)) return { diagnosis: prepared };
  const feasible: NodeInfo[] = [];
  const rejections = new Map<NodeInfo, Rejection>();
  const wokenBy = new Set<ClusterEvent>();
  const offset = Math.floor(random() * snapshot.nodes.length);
  for (let i = 0; i < snapshot.nodes.length && feasible.length < enoughFeasibleNodes; i++) {
    const node = snapshot.nodes[(i + offset) % snapshot.nodes.length]!;
    const rejected = rejectionOf(node, prepared) ?? rejectionWithNominated(node, options, nominations(node));
    if (!rejected) feasible.push(node);
    else {
      rejections.set(node, rejected.rejection);
      for (const event of rejected.plugin.wokenBy) wokenBy.add(event);
    }
  }
  const node = best(pod, feasible, options);
  if (node) return { node };
  if (snapshot.nodes.length === 0) wokenBy.add('NodeAdd');
  return { diagnosis: { nodeCount: snapshot.nodes.length, overall: undefined, rejections, wokenBy } };
}

function prepareFilters(pod: Pod, snapshot: Snapshot, filters: readonly FilterPlugin[]): PreparedFilter[] | Diagnosis {
  const prepared: PreparedFilter[] = [];
  for (const plugin of filters) {
    const filter = plugin.prepare(pod, snapshot);
    if (typeof filter === 'function') prepared.push({ plugin, filter });
    else if (filter) {
      const rejections = new Map(snapshot.nodes.map((node) => [node, filter]));
      return {
        nodeCount: snapshot.nodes.length,
        overall: filter.reasons.join(', '),
        rejections,
        wokenBy: new Set(plugin.wokenBy),
      };
    }
  }
  return prepared;
}

function rejectionOf(
  node: NodeInfo,
  filters: readonly PreparedFilter[],
): { plugin: FilterPlugin; rejection: Rejection } | undefined {
  for (const { plugin, filter } of filters) {
    const rejection = filter(node);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

/** Room promised to a pod of the same or higher priority is not there for this one. */
function rejectionWithNominated(
  node: NodeInfo,
  { pod, snapshot, plugins }: { pod: Pod; snapshot: Snapshot; plugins: Plugins },
  nominated: readonly Pod[],
): { plugin: FilterPlugin; rejection: Rejection } | undefined {
  const others = nominated.filter(
    (n) => n.metadata.uid !== pod.metadata.uid && (n.spec.priority ?? 0) >= (pod.spec.priority ?? 0),
  );
  if (others.length === 0) return undefined;
  const crowded = node.without([]);
  for (const other of others) crowded.add(other);
  const nodes = snapshot.nodes.map((n) => (n === node ? crowded : n));
  const prepared = prepareFilters(pod, { ...snapshot, nodes }, plugins.filters);
  return Array.isArray(prepared) ? rejectionOf(crowded, prepared) : undefined;
}

/** True when the pod would fit `node`, which stands for the node of its name in the snapshot. */
export function fits(pod: Pod, node: NodeInfo, snapshot: Snapshot, filters: readonly FilterPlugin[]): boolean {
  const nodes = snapshot.nodes.map((n) => (n.name === node.name ? node : n));
  const prepared = prepareFilters(pod, { ...snapshot, nodes }, filters);
  return Array.isArray(prepared) && rejectionOf(node, prepared) === undefined;
}

function best(
  pod: Pod,
  feasible: readonly NodeInfo[],
  { plugins, snapshot, random }: { plugins: Plugins; snapshot: Snapshot; random: () => number },
): NodeInfo | undefined {
  if (feasible.length <= 1) return feasible[0];
  const totals = new Array<number>(feasible.length).fill(0);
  for (const plugin of plugins.scores) {
    const scores = plugin.score(pod, feasible, snapshot);
    scores?.forEach((score, i) => {
      totals[i] = totals[i]! + score * plugin.weight;
    });
  }
  const highest = Math.max(...totals);
  const winners = feasible.filter((_, i) => totals[i] === highest);
  return winners[Math.floor(random() * winners.length)];
}

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.` */
export function describe(diagnosis: Diagnosis, afterwards?: string): string {
  const { nodeCount, overall, rejections } = diagnosis;
  const parts = [`0/${nodeCount} nodes are available:`];
  const histogram = overall === undefined ? histogramOf([...rejections.values()].map((r) => r.reasons)) : overall;
  if (histogram) parts.push(`${histogram}.`);
  if (afterwards) parts.push(afterwards);
  return nodeCount === 0 && overall === undefined ? 'no nodes available to schedule pods' : parts.join(' ');
}

/** Reasons with how often each was given, sorted as text. */
export function histogramOf(reasonLists: readonly (readonly string[])[]): string {
  const counts = new Map<string, number>();
  for (const reasons of reasonLists) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join(', ');
}
