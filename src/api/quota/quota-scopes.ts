import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from '../generated/types.ts';
import { attributesClassesOf } from '../kinds/core/persistent-volume-claim.ts';
import { qosClass } from '../kinds/core/pod-qos.ts';
import type { KubeObject } from '../meta.ts';
import { matchesRequirement } from '../selectors/label-selector.ts';
import { quotaConcerns } from './quota-usage.ts';

/** Whether the quota counts this object: it names a resource of its kind, and the object is within all its scopes. */
export function quotaMatches(quota: ResourceQuota, kind: { group: string; plural: string }, object: KubeObject): boolean {
  if (!Object.keys(quota.status?.hard ?? {}).some((resource) => quotaConcerns(kind, resource))) return false;
  return scopesOf(quota).every((scope) => isInScope(scope, kind, object));
}

function scopesOf({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
  const simple = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...simple, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

function isInScope(
  scope: ScopedResourceSelectorRequirement,
  kind: { group: string; plural: string },
  object: KubeObject,
): boolean {
  if (kind.group === '' && kind.plural === 'pods') return isPodInScope(scope, object as Pod);
  if (kind.group !== '' || kind.plural !== 'persistentvolumeclaims' || scope.scopeName !== 'VolumeAttributesClass') return false;
  const classes = attributesClassesOf(object as PersistentVolumeClaim);
  return classes.length === 0 ? matches(scope, undefined) : classes.some((name) => matches(scope, name));
}

function isPodInScope(scope: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  const isBestEffort = pod.spec !== undefined && qosClass(pod.spec) === 'BestEffort';
  switch (scope.scopeName) {
    case 'Terminating':
      return isLimitedInTime(pod);
    case 'NotTerminating':
      return !isLimitedInTime(pod);
    case 'BestEffort':
      return isBestEffort;
    case 'NotBestEffort':
      return !isBestEffort;
    case 'PriorityClass':
      return matches(scope, pod.spec?.priorityClassName);
    case 'CrossNamespacePodAffinity':
      return affinityTerms(pod).some((term) => term.namespaces?.length || term.namespaceSelector);
    default:
      return false;
  }
}

/** In the scope Terminating: it has a deadline. */
export function isLimitedInTime(pod: Pod): boolean {
  return (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
}

function matches(scope: ScopedResourceSelectorRequirement, value: string | undefined): boolean {
  const labels: Record<string, string> = value ? { [scope.scopeName]: value } : {};
  return matchesRequirement({ key: scope.scopeName, operator: scope.operator, values: scope.values ?? [] }, labels);
}

function affinityTerms({ spec }: Pod): PodAffinityTerm[] {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ]);
}
