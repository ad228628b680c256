import type { Container, Pod, ResourceRequirements } from '../../api/generated/types.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const qosResources = ['cpu', 'memory'] as const;

/**
 * The quality-of-service class of a pod, from the requests and limits of cpu and memory of all containers (init containers too), or of
 * the pod as a whole where it has resources of its own. Rule: kubernetes.io/docs/concepts/workloads/pods/pod-qos.
 */
export function qosClass(pod: Pod): QosClass {
  const stored = pod.status?.qosClass;
  if (stored === 'Guaranteed' || stored === 'Burstable' || stored === 'BestEffort') return stored;
  if (pod.spec.resources) return classOf([pod.spec.resources]);
  return classOf(allContainers(pod).map((c) => c.resources ?? {}));
}

function classOf(all: readonly ResourceRequirements[]): QosClass {
  const asks = (r: ResourceRequirements): boolean => qosResources.some((n) => isSet(r.requests?.[n]) || isSet(r.limits?.[n]));
  if (!all.some(asks)) return 'BestEffort';
  const fixed = (r: ResourceRequirements): boolean =>
    qosResources.every((n) => isSet(r.limits?.[n]) && (r.requests?.[n] ?? r.limits?.[n]) === r.limits?.[n]);
  return all.every(fixed) ? 'Guaranteed' : 'Burstable';
}

const isSet = (quantity: string | undefined): boolean => quantity !== undefined && quantity !== '0';

/** Init containers, then containers: every container that takes part in resource accounting. */
export function allContainers(pod: Pod): Container[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** An init container that keeps running beside the containers (`restartPolicy: Always`). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}
