import { matchesNodeSelectorTerm, nodeMatchesPod } from '../../../api/node-selector.ts';
import { type FilterPlugin, normalized, type ScorePlugin } from '../framework.ts';

/** spec.nodeSelector and required node affinity. */
export const nodeAffinity: FilterPlugin = {
  name: 'NodeAffinity',
  wokenBy: ['NodeAdd', 'NodeUpdate'],
  prepare(pod) {
    const { nodeSelector, affinity } = pod.spec;
    if (!nodeSelector && !affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution) return undefined;
    const reasons = ["node(s) didn't match Pod's node affinity/selector"];
    return (node) => (nodeMatchesPod(pod.spec, node) ? undefined : { reasons, unresolvable: true });
  },
};

/** Adds up the weights of the preferred terms a node satisfies. */
export const nodeAffinityScore: ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  score(pod, nodes) {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    if (!preferred?.length) return undefined;
    const sums = nodes.map((node) =>
      preferred.reduce((sum, { preference, weight }) => sum + (matchesNodeSelectorTerm(preference, node) ? weight : 0), 0),
    );
    return normalized(sums);
  },
};
