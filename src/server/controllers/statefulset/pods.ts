import type { PersistentVolumeClaim, PodTemplateSpec } from '../../../api/generated/types.ts';
import { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import type { NewObject } from '../../../api/meta.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { podFromTemplate } from '../support/pods.ts';

/** On pods: the ControllerRevision they were made from. */
export const revisionLabel = 'controller-revision-hash';
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

/** The ordinal at the end of a pod's name; undefined when the pod is not one of the set's. */
export function ordinalOf(set: StatefulSet, pod: { metadata: { name: string } }): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const digits = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : '';
  return /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined;
}

/** The first ordinal, and the one after the last. */
export function ordinalRange(set: StatefulSet): { start: number; end: number } {
  const start = set.spec.ordinals?.start ?? 0;
  return { start, end: start + (set.spec.replicas ?? 1) };
}

/** The name of the claim that the pod of an ordinal has for a template. */
export function claimName(set: StatefulSet, template: { metadata: { name: string } }, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** The pod of an ordinal, made from the template of a revision; its volumes lead to its own claims. */
export function composePod(options: {
  set: StatefulSet;
  ordinal: number;
  template: PodTemplateSpec;
  revision: string;
}): NewObject<Pod> {
  const { set, ordinal, template, revision } = options;
  const name = `${set.metadata.name}-${ordinal}`;
  const owner = controllerReference(StatefulSet, set);
  const pod = podFromTemplate({ template, namespace: set.metadata.namespace ?? '', name, exactName: true, owner });
  const claims = set.spec.volumeClaimTemplates ?? [];
  const own = new Set(claims.map((claim) => claim.metadata.name));
  const volumes = [
    ...claims.map((claim) => ({
      name: claim.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) },
    })),
    ...(pod.spec.volumes ?? []).filter((volume) => !own.has(volume.name)),
  ];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, [revisionLabel]: revision, [podNameLabel]: name, [podIndexLabel]: String(ordinal) },
    },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** The claims of an ordinal. They outlive pod and set unless the retention policy says otherwise. */
export function composeClaims(set: StatefulSet, ordinal: number): NewObject<PersistentVolumeClaim>[] {
  const deleted = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';
  const { controller: _controller, ...reference } = controllerReference(StatefulSet, set);
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    metadata: {
      namespace: set.metadata.namespace ?? '',
      name: claimName(set, template, ordinal),
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(template.metadata.annotations ? { annotations: template.metadata.annotations } : {}),
      ...(deleted ? { ownerReferences: [reference] } : {}),
    },
    spec: structuredClone(template.spec),
  }));
}
