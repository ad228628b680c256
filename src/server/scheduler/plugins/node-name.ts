import type { FilterPlugin } from '../framework.ts';

/** A pod that names its node can only go there. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  wokenBy: ['NodeAdd'],
  prepare(pod) {
    const wanted = pod.spec.nodeName;
    if (!wanted) return undefined;
    const reasons = ["node(s) didn't match the requested node name"];
    return (node) => (node.name === wanted ? undefined : { reasons, unresolvable: true });
  },
};
