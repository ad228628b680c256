import { untoleratedTaint } from '../../../api/taints.ts';
import type { FilterPlugin } from '../framework.ts';

const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Cordoned nodes take no pods but those that tolerate it. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  wokenBy: ['NodeAdd', 'NodeUpdate'],
  prepare(pod) {
    const tolerated = !untoleratedTaint([cordon], pod.spec.tolerations, ['NoSchedule']);
    if (tolerated) return undefined;
    const reasons = ['node(s) were unschedulable'];
    return (node) => (node.node?.spec.unschedulable ? { reasons, unresolvable: true } : undefined);
  },
};
