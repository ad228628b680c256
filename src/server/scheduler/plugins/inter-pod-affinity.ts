import type { WeightedPodAffinityTerm } from '../../../api/generated/types.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { type PreparedTerm, prepareTerm, prepareTerms } from '../affinity-terms.ts';
import { type FilterPlugin, maxScore, type NodeFilter, type ScorePlugin, type Snapshot } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

/** Numbers per topology domain, e.g. per zone. */
class DomainCounts {
  readonly #counts = new Map<string, number>();

  add(topologyKey: string, node: NodeInfo, amount: number): void {
    const value = node.labels[topologyKey];
    if (value === undefined) return;
    const domain = `${topologyKey}=${value}`;
    this.#counts.set(domain, (this.#counts.get(domain) ?? 0) + amount);
  }

  of(topologyKey: string, node: NodeInfo): number {
    const value = node.labels[topologyKey];
    return value === undefined ? 0 : (this.#counts.get(`${topologyKey}=${value}`) ?? 0);
  }

  get size(): number {
    return this.#counts.size;
  }
}

const affinityMissing = ["node(s) didn't match pod affinity rules"];
const antiAffinityBroken = ["node(s) didn't match pod anti-affinity rules"];
const othersAntiAffinityBroken = ["node(s) didn't satisfy existing pods anti-affinity rules"];

/** Required affinity and anti-affinity between pods, the wishes of the pods that are already there included. */
export const interPodAffinity: FilterPlugin = {
  name: 'InterPodAffinity',
  wokenBy: ['NodeAdd', 'NodeUpdate', 'PodDelete', 'PodPlaced', 'PodUpdate', 'Namespace'],
  prepare(pod, snapshot) {
    const others = antiAffinityOfOthers(pod, snapshot);
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
    const attract = prepareTerms(pod, podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, snapshot.namespaces);
    const repel = prepareTerms(pod, podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, snapshot.namespaces);
    if (attract.length + repel.length === 0 && others.size === 0) return undefined;
    return nodeFilter(pod, { attract, repel, others, snapshot });
  },
};

function nodeFilter(
  pod: Pod,
  {
    attract,
    repel,
    others,
    snapshot,
  }: { attract: PreparedTerm[]; repel: PreparedTerm[]; others: Map<string, Set<string>>; snapshot: Snapshot },
): NodeFilter {
  // A pod satisfies the affinity when one existing pod matches all its terms.
  const attracted = countMatches(snapshot, attract, (other) => attract.every((term) => term.matches(other)));
  const repelled = countMatches(snapshot, repel, undefined);
  // The first of a group that wants to be together finds nobody yet: it may go anywhere.
  const isFirst = attracted.size === 0 && attract.every((term) => term.matches(pod));
  return (node) => {
    const hasKeys = attract.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
    if (!hasKeys) return { reasons: affinityMissing, unresolvable: true };
    if (!isFirst && !attract.every(({ topologyKey }) => attracted.of(topologyKey, node) > 0))
      return { reasons: affinityMissing, unresolvable: true };
    if (repel.some(({ topologyKey }) => repelled.of(topologyKey, node) > 0)) return { reasons: antiAffinityBroken };
    for (const [key, values] of others) if (values.has(node.labels[key] ?? '\0')) return { reasons: othersAntiAffinityBroken };
    return undefined;
  };
}

function countMatches(
  snapshot: Snapshot,
  terms: readonly PreparedTerm[],
  all: ((other: Pod) => boolean) | undefined,
): DomainCounts {
  const counts = new DomainCounts();
  if (terms.length === 0) return counts;
  for (const node of snapshot.nodes) {
    for (const other of node.pods.values()) {
      if (other.metadata.deletionTimestamp !== undefined) continue;
      for (const term of terms) if (all ? all(other) : term.matches(other)) counts.add(term.topologyKey, node, 1);
    }
  }
  return counts;
}

/** Topology key → values of the domains from which the anti-affinity of pods that run there keeps this pod. */
function antiAffinityOfOthers(pod: Pod, snapshot: Snapshot): Map<string, Set<string>> {
  const closed = new Map<string, Set<string>>();
  for (const node of snapshot.nodes) {
    for (const other of node.pods.values()) {
      const terms = other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      if (!terms) continue;
      for (const term of prepareTerms(other, terms, snapshot.namespaces)) {
        const value = node.labels[term.topologyKey];
        if (value === undefined || !term.matches(pod)) continue;
        const values = closed.get(term.topologyKey) ?? new Set();
        closed.set(term.topologyKey, values.add(value));
      }
    }
  }
  return closed;
}

/** Weight of a required affinity of an existing pod towards this one. */
const hardAffinityWeight = 1;

/** Preferred affinity, this pod's and that of the pods that are already there. */
export const interPodAffinityScore: ScorePlugin = {
  name: 'InterPodAffinity',
  weight: 2,
  score(pod, nodes, snapshot) {
    const sums = new DomainCounts();
    const own = weightedTerms(pod, snapshot);
    for (const node of snapshot.nodes) {
      for (const other of node.pods.values()) {
        for (const { term, weight } of own) if (term.matches(other)) sums.add(term.topologyKey, node, weight);
        if (!other.spec.affinity) continue;
        for (const { term, weight } of [...weightedTerms(other, snapshot), ...requiredTerms(other, snapshot)]) {
          if (term.matches(pod)) sums.add(term.topologyKey, node, weight);
        }
      }
    }
    if (sums.size === 0) return undefined;
    const keys = topologyKeys(pod, snapshot);
    const raw = nodes.map((node) => keys.reduce((sum, key) => sum + sums.of(key, node), 0));
    const lowest = Math.min(...raw);
    const range = Math.max(...raw) - lowest;
    return range === 0 ? undefined : raw.map((n) => Math.floor(((n - lowest) * maxScore) / range));
  },
};

interface WeightedTerm {
  readonly term: PreparedTerm;
  readonly weight: number;
}

function weightedTerms(pod: Pod, { namespaces }: Snapshot): WeightedTerm[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const prepare = (terms: readonly WeightedPodAffinityTerm[] | undefined, sign: number): WeightedTerm[] =>
    (terms ?? []).map(({ podAffinityTerm, weight }) => ({
      term: prepareTerm(pod, podAffinityTerm, namespaces),
      weight: sign * weight,
    }));
  return [
    ...prepare(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
    ...prepare(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
  ];
}

function requiredTerms(pod: Pod, { namespaces }: Snapshot): WeightedTerm[] {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return prepareTerms(pod, terms, namespaces).map((term) => ({ term, weight: hardAffinityWeight }));
}

function topologyKeys(pod: Pod, snapshot: Snapshot): string[] {
  const keys = new Set(weightedTerms(pod, snapshot).map(({ term }) => term.topologyKey));
  for (const node of snapshot.nodes) {
    for (const other of node.pods.values()) {
      if (!other.spec.affinity) continue;
      for (const { term } of [...weightedTerms(other, snapshot), ...requiredTerms(other, snapshot)]) keys.add(term.topologyKey);
    }
  }
  return [...keys];
}
