import type { FilterPlugin } from '../framework.ts';
import { hostPorts, portsCollide } from '../resources.ts';

/** Two pods cannot have the same port of a node. */
export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  wokenBy: ['NodeAdd', 'PodDelete'],
  prepare(pod) {
    const wanted = hostPorts(pod.spec);
    if (wanted.length === 0) return undefined;
    const reasons = ["node(s) didn't have free ports for the requested pod ports"];
    return (node) => (node.ports.some((taken) => wanted.some((port) => portsCollide(taken, port))) ? { reasons } : undefined);
  },
};
