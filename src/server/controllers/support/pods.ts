import type { OwnerReference, PodCondition, PodTemplateSpec } from '../../../api/generated/types.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import type { NewObject } from '../../../api/meta.ts';
import { millisecondsOf } from '../../../api/timestamp.ts';
import { conditionOf } from './conditions.ts';

/** Succeeded or Failed: its containers will not run again. */
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

/** Neither terminal nor being deleted: it counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Being deleted, but its containers may still run. */
export function isTerminating(pod: Pod): boolean {
  return !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;
}

function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return conditionOf(pod.status.conditions, type);
}

/** True when the pod can serve, by its own condition. */
export function isReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** When the pod last became ready, in milliseconds; 0 when it is not ready or does not say. */
export function readySinceMs(pod: Pod): number {
  const ready = podCondition(pod, 'Ready');
  return ready?.status === 'True' ? millisecondsOf(ready.lastTransitionTime) : 0;
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return isReady(pod) && (minReadySeconds === 0 || readySinceMs(pod) + minReadySeconds * 1000 <= nowMs);
}

/** The milliseconds until the next ready pod becomes available; undefined when there is none to wait for. */
export function untilAvailableMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const waits = pods.filter((p) => isReady(p) && !isAvailable(p, minReadySeconds, nowMs));
  if (waits.length === 0) return undefined;
  return Math.min(...waits.map((p) => readySinceMs(p) + minReadySeconds * 1000 - nowMs));
}

/** The most times any container of the pod was restarted. */
export function maxRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status.containerStatuses ?? []).map((c) => c.restartCount));
}

/** A pod made from a template for an owner. `name` is a prefix unless `exactName` is set. */
export function podFromTemplate(options: {
  template: PodTemplateSpec;
  namespace: string;
  name: string;
  exactName?: boolean;
  owner: OwnerReference;
}): NewObject<Pod> {
  const { template, namespace, name, owner } = options;
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      namespace,
      ...(options.exactName ? { name } : { generateName: name }),
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [owner],
    },
    spec: structuredClone(template.spec ?? { containers: [] }),
  };
}
