import type { LabelSelector, PodAffinityTerm } from '../../api/generated/types.ts';
import type { Namespace } from '../../api/kinds/core/namespace.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { matchesLabelSelector } from '../../api/selectors/label-selector.ts';
import type { Lister } from '../../client/object-index.ts';

/** A (anti-)affinity term of a pod, ready to be asked. */
export interface PreparedTerm {
  readonly topologyKey: string;
  matches(other: Pod): boolean;
}

/** Prepares terms; namespaces default to the pod's own, namespaceSelector adds those it matches. */
export function prepareTerms(
  pod: Pod,
  terms: readonly PodAffinityTerm[] | undefined,
  namespaces: Lister<Namespace>,
): PreparedTerm[] {
  return (terms ?? []).map((term) => prepareTerm(pod, term, namespaces));
}

/** A term of a pod's affinity, ready to be asked about many pods; without namespaces it is about the pod's own. */
export function prepareTerm(pod: Pod, term: PodAffinityTerm, namespaces: Lister<Namespace>): PreparedTerm {
  const named = new Set(term.namespaces);
  if (!term.namespaces?.length && !term.namespaceSelector) named.add(pod.metadata.namespace ?? '');
  const inNamespace = (namespace: string): boolean => {
    if (named.has(namespace)) return true;
    return matchesLabelSelector(term.namespaceSelector, namespaces.get(namespace)?.metadata.labels ?? {});
  };
  const selector = withLabelKeys(term, pod);
  return {
    topologyKey: term.topologyKey,
    matches: (other) => inNamespace(other.metadata.namespace ?? '') && matchesLabelSelector(selector, other.metadata.labels),
  };
}

/** matchLabelKeys / mismatchLabelKeys: the pod's own values of those labels join the selector. */
function withLabelKeys(term: PodAffinityTerm, pod: Pod): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return labelSelector;
  const labels = pod.metadata.labels ?? {};
  const requirement = (operator: string) => (key: string) => ({ key, operator, values: [labels[key] ?? ''] });
  const present = (key: string): boolean => labels[key] !== undefined;
  return {
    ...labelSelector,
    matchExpressions: [
      ...(labelSelector.matchExpressions ?? []),
      ...matchLabelKeys.filter(present).map(requirement('In')),
      ...mismatchLabelKeys.filter(present).map(requirement('NotIn')),
    ],
  };
}
