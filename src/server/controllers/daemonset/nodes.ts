import type { PodSpec, Toleration } from '../../../api/generated/types.ts';
import type { DaemonSet } from '../../../api/kinds/apps/daemon-set.ts';
import type { Node } from '../../../api/kinds/core/node.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { nodeMatchesPod } from '../../../api/node-selector.ts';
import { untoleratedTaint } from '../../../api/taints.ts';

const exists = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect });

/** What daemons put up with, whatever their template says: they are there for nodes in trouble as well. */
function daemonTolerations(spec: PodSpec): Toleration[] {
  return [
    exists('node.kubernetes.io/not-ready', 'NoExecute'),
    exists('node.kubernetes.io/unreachable', 'NoExecute'),
    exists('node.kubernetes.io/disk-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/memory-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/pid-pressure', 'NoSchedule'),
    exists('node.kubernetes.io/unschedulable', 'NoSchedule'),
    ...(spec.hostNetwork ? [exists('node.kubernetes.io/network-unavailable', 'NoSchedule')] : []),
  ];
}

/** The template's spec as it goes to one node: with the daemon tolerations, and tied to the node for the scheduler. */
export function specForNode(spec: PodSpec, nodeName: string): PodSpec {
  const own = spec.tolerations ?? [];
  const added = daemonTolerations(spec).filter(
    (t) => !own.some((o) => o.key === t.key && o.effect === t.effect && o.operator === 'Exists'),
  );
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  const required = { nodeSelectorTerms: terms.map((term) => ({ ...term, matchFields })) };
  return {
    ...structuredClone(spec),
    tolerations: [...own, ...added],
    affinity: {
      ...spec.affinity,
      nodeAffinity: { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
    },
  };
}

/** The node a daemon pod is on, or is meant for. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.find((f) => f.key === 'metadata.name')?.values?.[0];
}

/** Whether a daemon should be started on a node, and whether one that is there may stay. */
export function fitOf(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const spec = set.spec.template.spec ?? { containers: [] };
  const target = { name: node.metadata.name, labels: node.metadata.labels ?? {} };
  if ((spec.nodeName && spec.nodeName !== target.name) || !nodeMatchesPod(spec, target)) return { run: false, stay: false };
  const tolerations = [...(spec.tolerations ?? []), ...daemonTolerations(spec)];
  const taints = node.spec.taints;
  const stay = !untoleratedTaint(taints, tolerations, ['NoExecute']);
  return { run: stay && !untoleratedTaint(taints, tolerations, ['NoSchedule']), stay };
}
