import type { Pod } from '../../api/kinds/core/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy/pod-disruption-budget.ts';
import { matchesLabelSelector } from '../../api/selectors/label-selector.ts';
import { type Diagnosis, fits, histogramOf } from './decide.ts';
import type { FilterPlugin, Snapshot } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { priorityOf } from './queue.ts';

/** Who would have to go for a pod to fit a node. */
export interface Candidate {
  readonly node: NodeInfo;
  /** Most important first. */
  readonly victims: readonly Pod[];
  /** How many of them a PodDisruptionBudget protects. */
  readonly violations: number;
}

export type Preemption = { readonly candidate: Candidate } | { readonly candidate?: undefined; readonly message: string };

/**
 * Finds the node where the pod fits at the least cost by evicting pods of lower priority (upstream: plugins/defaultpreemption). The pods
 * promised to the nodes are not considered; the next decision checks them.
 */
export function planPreemption(options: {
  pod: Pod;
  diagnosis: Diagnosis;
  snapshot: Snapshot;
  filters: readonly FilterPlugin[];
  budgets: readonly PodDisruptionBudget[];
}): Preemption {
  const { pod, diagnosis, snapshot } = options;
  if (pod.spec.preemptionPolicy === 'Never') return { message: 'preemption: not eligible due to preemptionPolicy=Never.' };
  if (waitsForVictims(pod, snapshot))
    return { message: 'preemption: not eligible due to a terminating pod on the nominated node.' };
  const candidates: Candidate[] = [];
  const reasons: string[][] = [];
  for (const [node, rejection] of diagnosis.rejections) {
    const candidate = rejection.unresolvable ? undefined : candidateOn(node, options);
    if (candidate) candidates.push(candidate);
    else
      reasons.push([
        rejection.unresolvable ? 'Preemption is not helpful for scheduling' : 'No preemption victims found for incoming pod',
      ]);
  }
  const candidate = cheapest(candidates);
  if (candidate) return { candidate };
  return { message: `preemption: 0/${diagnosis.nodeCount} nodes are available: ${histogramOf(reasons)}.` };
}

/** Its victims are still ending: evicting more would be too much. */
function waitsForVictims(pod: Pod, snapshot: Snapshot): boolean {
  const nominated = snapshot.nodes.find((n) => n.name === pod.status.nominatedNodeName);
  if (!nominated) return false;
  return [...nominated.pods.values()].some((p) => p.metadata.deletionTimestamp !== undefined && priorityOf(p) < priorityOf(pod));
}

function candidateOn(
  node: NodeInfo,
  options: { pod: Pod; snapshot: Snapshot; filters: readonly FilterPlugin[]; budgets: readonly PodDisruptionBudget[] },
): Candidate | undefined {
  const { pod, snapshot, filters, budgets } = options;
  const lower = [...node.pods.values()].filter((p) => priorityOf(p) < priorityOf(pod)).sort(byImportance);
  if (lower.length === 0) return undefined;
  const emptied = node.without(lower);
  if (!fits(pod, emptied, snapshot, filters)) return undefined;
  const isProtected = protectedPods(lower, budgets);
  const victims: Pod[] = [];
  let violations = 0;
  // Spare whom we can: the protected first, then the important.
  for (const guarded of [true, false]) {
    for (const victim of lower.filter((p) => isProtected.has(p.metadata.uid) === guarded)) {
      emptied.add(victim);
      if (fits(pod, emptied, snapshot, filters)) continue;
      emptied.remove(victim);
      victims.push(victim);
      if (guarded) violations++;
    }
  }
  return { node, victims: victims.sort(byImportance), violations };
}

/** Higher priority first, then those that started earlier. */
function byImportance(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : 1);
}

function startOf(pod: Pod): string {
  return pod.status.startTime ?? pod.metadata.creationTimestamp;
}

/** The pods whose eviction a budget would not allow any more, the most important ones using its allowance up first. */
function protectedPods(pods: readonly Pod[], budgets: readonly PodDisruptionBudget[]): Set<string> {
  const left = new Map(budgets.map((budget) => [budget, budget.status.disruptionsAllowed ?? 0]));
  const result = new Set<string>();
  for (const pod of pods) {
    for (const [budget, allowed] of left) {
      if (budget.metadata.namespace !== pod.metadata.namespace) continue;
      if (!pod.metadata.labels || !matchesLabelSelector(budget.spec.selector, pod.metadata.labels)) continue;
      if (budget.status.disruptedPods?.[pod.metadata.name] !== undefined) continue;
      left.set(budget, allowed - 1);
      if (allowed <= 0) result.add(pod.metadata.uid);
    }
  }
  return result;
}

/** Fewest protected victims, then the least important ones, then the fewest, then the youngest. */
function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  const cost = ({ victims, violations }: Candidate): readonly number[] => {
    const highest = victims[0];
    return [
      violations,
      highest ? priorityOf(highest) : Number.NEGATIVE_INFINITY,
      victims.reduce((sum, v) => sum + priorityOf(v) + 2 ** 31, 0),
      victims.length,
      highest ? -Date.parse(startOf(highest)) : 0,
    ];
  };
  const ranked = candidates.map((candidate) => ({ candidate, cost: cost(candidate) }));
  ranked.sort((a, b) => compare(a.cost, b.cost));
  return ranked[0]?.candidate;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
