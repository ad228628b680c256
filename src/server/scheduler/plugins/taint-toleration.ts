import { tolerates, untoleratedTaint } from '../../../api/taints.ts';
import { type FilterPlugin, normalized, type ScorePlugin } from '../framework.ts';

/** Keeps pods off nodes whose taints they do not tolerate. */
export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  wokenBy: ['NodeAdd', 'NodeUpdate', 'PodUpdate'],
  prepare(pod) {
    return (node) => {
      const taint = untoleratedTaint(node.node?.spec.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']);
      if (!taint) return undefined;
      return { reasons: [`node(s) had untolerated taint(s)`], unresolvable: true };
    };
  },
};

/** Prefers nodes with few PreferNoSchedule taints the pod does not tolerate. */
export const taintTolerationScore: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  score(pod, nodes) {
    const tolerations = (pod.spec.tolerations ?? []).filter((t) => !t.effect || t.effect === 'PreferNoSchedule');
    const counts = nodes.map((node) => {
      const taints = (node.node?.spec.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule');
      return taints.filter((taint) => !tolerations.some((t) => tolerates(t, taint))).length;
    });
    return counts.some((n) => n > 0) ? normalized(counts, true) : undefined;
  },
};
