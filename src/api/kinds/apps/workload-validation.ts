import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { matchesLabelSelector } from '../../selectors/label-selector.ts';
import { checkAtMost100Percent, checkCountOrPercent, checkNonNegative, percentOf } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector, isEmptySelector } from '../../validation/labels.ts';
import { checkPodTemplate } from '../core/pod-spec-validation.ts';

interface Workload {
  readonly selector?: t.LabelSelector;
  readonly template?: t.PodTemplateSpec;
}

/** How messages speak of a kind. */
interface Wording {
  /** In `empty selector is invalid for …`. */
  readonly noun: string;
  /** In messages about the pods. */
  readonly kind: string;
  /** What is said of a selector that cannot be understood; the template is not looked at then. */
  readonly unreadable: string;
}

/** The selector and the pod template of a workload whose pods always restart. */
export function checkSelectorAndTemplate(errors: FieldError[], spec: Workload, { noun, kind, unreadable }: Wording): void {
  const { selector, template = {} } = spec;
  if (!selector) errors.push(required('spec.selector'));
  const before = errors.length;
  checkLabelSelector(errors, 'spec.selector', selector);
  const isUnreadable = errors.length > before;
  if (selector && isEmptySelector(selector)) {
    errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${noun}`));
  }
  if (selector && isUnreadable) errors.push(invalid('spec.selector', selector, unreadable));
  else {
    if (!selector || !isEmptySelector(selector)) checkSelectsTemplate(errors, selector, template);
    checkPodTemplate(errors, 'spec.template', template);
  }
  checkAlwaysRestarts(errors, template, kind);
}

/** A workload must select the pods it makes; no selector selects none. */
export function checkSelectsTemplate(
  errors: FieldError[],
  selector: t.LabelSelector | undefined,
  template: t.PodTemplateSpec | undefined,
): void {
  const labels = template?.metadata?.labels;
  if (selector && matchesLabelSelector(selector, labels)) return;
  errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
}

export function checkAlwaysRestarts(errors: FieldError[], template: t.PodTemplateSpec, kind: string): void {
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy && restartPolicy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
}

/** A count or a percentage up to 100 %. */
export function checkShare(errors: FieldError[], field: string, value: t.IntOrString | undefined): void {
  checkCountOrPercent(errors, field, value);
  checkAtMost100Percent(errors, field, value);
}

/** True for 0 and 0 %; text that is no percentage counts as 0, too. */
export const isZero = (value: t.IntOrString | undefined): boolean =>
  value === 0 || (typeof value === 'string' && !percentOf(value));

/** Counts of a status: none is negative, and the parts are not more than the whole. */
export function checkReplicaCounts(errors: FieldError[], status: object | undefined, fields: readonly string[]): void {
  const counts = (status ?? {}) as Readonly<Record<string, number | undefined>>;
  for (const field of [...fields, 'replicas', 'observedGeneration', 'terminatingReplicas', 'collisionCount']) {
    checkNonNegative(errors, `status.${field}`, counts[field]);
  }
  for (const field of fields) {
    const count = counts[field] ?? 0;
    if (count > (counts['replicas'] ?? 0)) {
      errors.push(invalid(`status.${field}`, count, 'cannot be greater than status.replicas'));
    }
  }
  const { availableReplicas = 0, readyReplicas = 0 } = counts;
  if (fields.includes('readyReplicas') && availableReplicas > readyReplicas) {
    // Upstream has other words for StatefulSets.
    const ready = fields.includes('currentReplicas') ? 'status.readyReplicas' : 'readyReplicas';
    errors.push(invalid('status.availableReplicas', availableReplicas, `cannot be greater than ${ready}`));
  }
}

/** A collision count only grows. */
export function checkCollisionCount(errors: FieldError[], next: number | undefined, previous: number | undefined): void {
  if (previous !== undefined && (next ?? -1) < previous) {
    errors.push(invalid('status.collisionCount', next ?? 0, 'cannot be decremented'));
  }
}
