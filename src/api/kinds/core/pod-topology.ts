import type * as t from '../../generated/types.ts';

type KeyedTerm = Pick<t.PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

/**
 * Turns matchLabelKeys and mismatchLabelKeys of a new pod into requirements of the selectors beside them, with the values of the pod's own
 * labels; the scheduler then looks at selectors only. kubernetes: pkg/registry/core/pod/strategy.go.
 */
export function addMatchLabelKeys(pod: t.Pod): void {
  const labels = pod.metadata.labels ?? {};
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) addRequirements(constraint, labels);
  for (const affinity of [pod.spec.affinity?.podAffinity, pod.spec.affinity?.podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) addRequirements(term, labels);
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (podAffinityTerm) addRequirements(podAffinityTerm, labels);
    }
  }
}

function addRequirements(term: KeyedTerm, labels: Readonly<Record<string, string>>): void {
  const selector = term.labelSelector;
  if (!selector) return;
  for (const [keys, operator] of [
    [term.matchLabelKeys, 'In'],
    [term.mismatchLabelKeys, 'NotIn'],
  ] as const) {
    for (const key of keys ?? []) {
      const value = labels[key];
      if (value !== undefined) (selector.matchExpressions ??= []).push({ key, operator, values: [value] });
    }
  }
}
