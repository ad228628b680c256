import { keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkRange, maxInt32 } from '../../validation/checks.ts';
import { equalMaps, semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid } from '../../validation/errors.ts';
import { checkPodAnnotationsUpdate } from './pod-annotations.ts';

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** What an update may change of a pod. kubernetes: pkg/apis/core/validation/validation.go (ValidatePodUpdate). */
export function validatePodUpdate(next: t.Pod, previous: t.Pod): FieldError[] {
  const errors: FieldError[] = [];
  checkPodAnnotationsUpdate(errors, next.metadata.annotations, previous.metadata.annotations);
  for (const list of ['containers', 'initContainers'] as const) {
    if ((next.spec[list]?.length ?? 0) === (previous.spec[list]?.length ?? 0)) continue;
    errors.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
    return errors;
  }
  checkDeadline(errors, next.spec.activeDeadlineSeconds, previous.spec.activeDeadlineSeconds);
  checkTolerationsKept(errors, next.spec.tolerations, previous.spec.tolerations);
  checkGates(errors, next.spec.schedulingGates, previous.spec.schedulingGates);
  const isGated = (previous.spec.schedulingGates?.length ?? 0) > 0;
  if (isGated) {
    checkNodeSelectorGrows(errors, next.spec, previous.spec);
    checkNodeAffinityGrows(errors, next.spec.affinity, previous.spec.affinity);
  }
  const changed = changedFields(next.spec, previous.spec, isGated);
  if (changed.length > 0) {
    const detail = `pod updates may not change fields other than ${updatable}\n${changed.map((f) => `changed: spec.${f}`).join('\n')}`;
    errors.push(forbidden('spec', detail));
  }
  return errors;
}

function checkDeadline(errors: FieldError[], next: number | undefined, previous: number | undefined): void {
  const field = 'spec.activeDeadlineSeconds';
  if (next === undefined || next === null) {
    if (previous !== undefined) errors.push(invalid(field, next, 'must not update from a positive integer to nil value'));
    return;
  }
  checkRange(errors, field, next, [0, maxInt32]);
  if (previous !== undefined && next > previous) {
    errors.push(invalid(field, next, 'must be less than or equal to previous value'));
  }
}

function checkTolerationsKept(errors: FieldError[], next: t.Toleration[] = [], previous: t.Toleration[] = []): void {
  const withoutSeconds = ({ tolerationSeconds: _, ...rest }: t.Toleration): object => rest;
  const remains = next.map(withoutSeconds);
  for (const toleration of previous) {
    const wanted = withoutSeconds(toleration);
    if (remains.some((r) => semanticEqual(r, wanted))) continue;
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
    return;
  }
}

function checkGates(errors: FieldError[], next: t.PodSchedulingGate[] = [], previous: t.PodSchedulingGate[] = []): void {
  const known = new Set(previous.map((g) => g.name));
  for (const [i, { name }] of next.entries()) {
    if (known.has(name)) continue;
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    errors.push(forbidden(`spec.schedulingGates[${i}].name`, detail));
  }
}

/** While gates hold a pod back, the choice of nodes may be narrowed, never widened. */
function checkNodeSelectorGrows(errors: FieldError[], next: t.PodSpec, previous: t.PodSpec): void {
  for (const key in previous.nodeSelector) {
    if (next.nodeSelector?.[key] === previous.nodeSelector[key]) continue;
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(invalid('spec.nodeSelector', next.nodeSelector, detail));
    return;
  }
}

/** Terms stay what they are, but for further requirements: each narrows the choice. */
function checkNodeAffinityGrows(errors: FieldError[], next: t.Affinity | undefined, previous: t.Affinity | undefined): void {
  const termsOf = (affinity: t.Affinity | undefined): t.NodeSelectorTerm[] =>
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const [after, before] = [termsOf(next), termsOf(previous)];
  const field = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (before.length > 0 && after.length !== before.length) {
    errors.push(invalid(field, after, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
    return;
  }
  before.forEach((term, i) => {
    if (onlyGrows(after[i]!, term)) return;
    errors.push(invalid(`${field}[${i}]`, after[i], 'only additions are allowed (no mutations or deletions)'));
  });
}

function onlyGrows(next: t.NodeSelectorTerm, previous: t.NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const;
  // A term that says nothing matches nothing: a requirement would widen it.
  if (lists.every((list) => !previous[list]?.length)) return lists.every((list) => !next[list]?.length);
  return lists.every((list) => semanticEqual(next[list]?.slice(0, previous[list]?.length ?? 0), previous[list]));
}

/** Fields of the spec that differ although no update may change them. */
function changedFields(next: t.PodSpec, previous: t.PodSpec, isGated: boolean): string[] {
  const names = new Set([...Object.keys(next), ...Object.keys(previous)]) as Set<keyof t.PodSpec>;
  return [...names].filter((name) => {
    if (semanticEqual(next[name], previous[name])) return false;
    switch (name) {
      case 'activeDeadlineSeconds':
      case 'tolerations':
      case 'schedulingGates':
        return false;
      case 'containers':
      case 'initContainers':
        return !semanticEqual(next[name]?.map(withoutImage), previous[name]?.map(withoutImage));
      case 'terminationGracePeriodSeconds':
        return !(next.terminationGracePeriodSeconds === 1 && (previous.terminationGracePeriodSeconds ?? 0) < 0);
      case 'nodeSelector':
        return !isGated && !equalMaps(next.nodeSelector, previous.nodeSelector);
      case 'affinity':
        return !isGated || !semanticEqual(withoutNodeAffinity(next), withoutNodeAffinity(previous));
      default:
        return true;
    }
  });
}

const withoutImage = ({ image: _, ...rest }: t.Container): object => rest;

function withoutNodeAffinity({ affinity }: t.PodSpec): object {
  const { nodeAffinity: _, ...rest } = affinity ?? {};
  return rest;
}

/** For `/ephemeralcontainers`: only these containers and the generation may change. */
export function keepAllButEphemeralContainers(next: t.Pod, previous: t.Pod): void {
  const wanted = next.spec?.ephemeralContainers;
  next.spec = { ...previous.spec };
  if (wanted) next.spec.ephemeralContainers = wanted;
  else delete next.spec.ephemeralContainers;
  next.status = previous.status;
  keepMetadata(next, previous);
}

/** Ephemeral containers can be added, never changed or removed. */
export function validateEphemeralContainersUpdate(next: t.Pod, previous: t.Pod): FieldError[] {
  const errors: FieldError[] = [];
  for (const container of previous.spec.ephemeralContainers ?? []) {
    const i = next.spec.ephemeralContainers?.findIndex((c) => c.name === container.name) ?? -1;
    if (i < 0) {
      const detail = `existing ephemeral containers "${container.name}" may not be removed\n`;
      errors.push(forbidden('spec.ephemeralContainers', detail));
    } else if (!semanticEqual(next.spec.ephemeralContainers?.[i], container)) {
      const detail = `existing ephemeral containers "${container.name}" may not be changed\n`;
      errors.push(forbidden('spec.ephemeralContainers', detail));
    }
  }
  return errors;
}
