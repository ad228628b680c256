import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from './generated/types.ts';
import { matchesLabels, matchesRequirement } from './selectors/label-selector.ts';

/** The node as selectors see it. */
export interface SelectableNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** True when spec.nodeSelector and the required node affinity of a pod allow the node. */
export function nodeMatchesPod(spec: PodSpec, node: SelectableNode): boolean {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return matchesLabels(spec.nodeSelector, node.labels) && matchesNodeSelector(required, node);
}

/** True when any term matches; no terms match nothing. */
export function matchesNodeSelector(selector: NodeSelector | undefined, node: SelectableNode): boolean {
  return selector?.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node)) ?? true;
}

/** True when all requirements of the term hold; an empty term matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: SelectableNode): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.name };
  return matchExpressions.every((r) => matchesNode(r, node.labels)) && matchFields.every((r) => matchesNode(r, fields));
}

function matchesNode(requirement: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const { operator, key, values = [] } = requirement;
  if (operator !== 'Gt' && operator !== 'Lt') return matchesRequirement(requirement, labels);
  const actual = labels[key];
  if (actual === undefined || !/^-?\d+$/.test(actual) || !/^-?\d+$/.test(values[0] ?? '')) return false;
  return operator === 'Gt' ? Number(actual) > Number(values[0]) : Number(actual) < Number(values[0]);
}
