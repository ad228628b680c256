import { Node } from '../../../api/kinds/core/node.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';

const key = 'node.kubernetes.io/not-ready';

/** A new node takes no pods until it has been seen ready. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    admit(request) {
      const node = objectOf(request, Node, ['CREATE']);
      if (!node) return;
      node.spec ??= {};
      const taints = node.spec.taints ?? [];
      if (!taints.some((t) => t.key === key && t.effect === 'NoSchedule'))
        node.spec.taints = [...taints, { key, effect: 'NoSchedule' }];
    },
  };
}
