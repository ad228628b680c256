import { defineKind, keepAllButStatus, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { timestamp } from '../../timestamp.ts';
import { forbidden } from '../../validation/errors.ts';
import { contentChanged, setGeneration } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { readAppArmorAnnotations } from './app-armor.ts';
import { checkPodAnnotations } from './pod-annotations.ts';
import { podColumns, podRowConditions } from './pod-columns.ts';
import { qosClass } from './pod-qos.ts';
import { defaultPodOnly, defaultPodSpec } from './pod-spec.ts';
import { checkPodSpec } from './pod-spec-validation.ts';
import { validatePodStatusUpdate } from './pod-status-validation.ts';
import { addMatchLabelKeys } from './pod-topology.ts';
import { validatePodUpdate } from './pod-update.ts';
import { podWarnings } from './pod-warnings.ts';

export type Pod = t.Pod;
export const Pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  scope: 'Namespaced',
  resetFields: { status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'] },
  subresources: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    { name: 'resize', verbs: ['get', 'patch', 'update'] },
    statusSubresource,
  ],
  returnsDeletedObject: true,
  applyDefaults(pod) {
    pod.spec ??= { containers: [] };
    defaultPodSpec(pod.spec);
    defaultPodOnly(pod.spec);
    if (pod.status) settlePodIps(pod.status);
  },
  prepareForCreate(pod, { nowMs, warn }) {
    pod.metadata.generation = 1;
    readAppArmorAnnotations(pod, warn);
    pod.status = { phase: 'Pending', qosClass: qosClass(pod.spec) };
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [gatedCondition(nowMs)];
    addMatchLabelKeys(pod);
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepOwnersAndClass(next, previous);
  },
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  warnings: podWarnings,
  gracePeriodSeconds(pod, requested) {
    const isOver = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
    if (!pod.spec?.nodeName || isOver) return 0;
    const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return period < 0 ? 1 : period;
  },
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.host': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map((p) => p.ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
  rowConditions: podRowConditions,
});

/** Two names of one thing: old agents send only the first address, which goes before the list. Dropped is what 1.36 leaves off. */
function settlePodIps(status: t.PodStatus): void {
  if (status.nodeAllocatableResourceClaimStatuses) delete status.nodeAllocatableResourceClaimStatuses;
  const { podIP, podIPs } = status;
  if (podIP && podIP !== podIPs?.[0]?.ip) status.podIPs = [{ ip: podIP }];
  else if (podIPs?.[0]?.ip) status.podIP = podIPs[0].ip;
}

function gatedCondition(nowMs: number): t.PodCondition {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastTransitionTime: timestamp(nowMs),
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
}

/** Old agents send pods without these through `/status`. */
function keepOwnersAndClass(next: Pod, previous: Pod): void {
  for (const field of ['ownerReferences', 'deletionTimestamp'] as const) {
    if (previous.metadata[field] === undefined) delete next.metadata[field];
    else Object.assign(next.metadata, { [field]: previous.metadata[field] });
  }
  next.status ??= {};
  if (!next.status.qosClass && previous.status?.qosClass) next.status.qosClass = previous.status.qosClass;
  if (!next.status.observedGeneration && previous.status?.observedGeneration) {
    next.status.observedGeneration = previous.status.observedGeneration;
  }
}

function validatePod(pod: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = pod;
  if (!spec) return errors;
  checkPodAnnotations(errors, 'metadata.annotations', pod.metadata.annotations, spec);
  checkPodSpec(errors, 'spec', spec, { podName: pod.metadata.name ?? '' });
  if (!spec.serviceAccountName) checkNoTokens(errors, spec);
  return errors;
}

function validateNewPod({ spec }: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (spec?.ephemeralContainers?.length) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (spec?.nodeName && spec.schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

function checkNoTokens(errors: FieldError[], spec: t.PodSpec): void {
  spec.volumes?.forEach((volume, v) => {
    volume.projected?.sources?.forEach((source, s) => {
      if (!source.serviceAccountToken) return;
      const field = `spec.volumes[${v}].projected.sources[${s}].serviceAccountToken`;
      errors.push(forbidden(field, 'must not be specified when serviceAccountName is not set'));
    });
  });
}
