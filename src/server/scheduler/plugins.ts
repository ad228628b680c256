import type { Plugins } from './decide.ts';
import { imageLocality } from './plugins/image-locality.ts';
import { interPodAffinity, interPodAffinityScore } from './plugins/inter-pod-affinity.ts';
import { nodeAffinity, nodeAffinityScore } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { balancedAllocation, leastAllocated, nodeResourcesFit } from './plugins/node-resources-fit.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { podTopologySpread, podTopologySpreadScore } from './plugins/pod-topology-spread.ts';
import { taintToleration, taintTolerationScore } from './plugins/taint-toleration.ts';
import { volumeBinding } from './plugins/volume-binding.ts';

/** What decides, in upstream's order and with upstream's weights: the first filter that rejects a node gives the reason. */
export const defaultPlugins: Plugins = {
  filters: [
    nodeUnschedulable,
    nodeName,
    taintToleration,
    nodeAffinity,
    nodePorts,
    nodeResourcesFit,
    volumeBinding,
    podTopologySpread,
    interPodAffinity,
  ],
  scores: [
    taintTolerationScore,
    nodeAffinityScore,
    podTopologySpreadScore,
    interPodAffinityScore,
    leastAllocated,
    balancedAllocation,
    imageLocality,
  ],
};
