import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { matchesLabelSelector } from '../../selectors/label-selector.ts';
import { checkEnum, checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { domainPrefixedPath } from '../../validation/domain-prefixed-path.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { invalid, notSupported, required, tooLong } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { keyed } from '../../validation/quantities.ts';
import { checkSelectsTemplate } from '../apps/workload-validation.ts';
import { checkPodTemplate } from '../core/pod-spec-validation.ts';
import { checkFailurePolicy, checkSuccessPolicy } from './job-policies.ts';

const maxParallelismIndexed = 100_000;
const maxManagedByLength = 63;

/** The spec of a job or of the template of a CronJob. kubernetes: pkg/apis/batch/validation/validation.go. */
export function checkJobSpec(errors: FieldError[], at: string, spec: t.JobSpec): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const) {
    checkNonNegative(errors, `${at}.${field}`, spec[field]);
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (spec.managedBy !== undefined && spec.managedBy !== null)
    errors.push(...domainPrefixedPath(`${at}.managedBy`, spec.managedBy));
  if ((spec.managedBy?.length ?? 0) > maxManagedByLength) errors.push(tooLong(`${at}.managedBy`, maxManagedByLength));
  checkMode(errors, at, spec);
  const policies = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  const replacement = spec.podReplacementPolicy;
  if (replacement !== undefined && replacement !== null && !policies.includes(replacement)) {
    errors.push(notSupported(`${at}.podReplacementPolicy`, replacement, policies));
  }
  if (spec.podFailurePolicy) checkFailurePolicy(errors, `${at}.podFailurePolicy`, spec);
  if (spec.successPolicy && spec.completionMode === 'Indexed') checkSuccessPolicy(errors, `${at}.successPolicy`, spec);
  if (spec.template) checkTemplate(errors, `${at}.template`, spec.template, spec);
}

function checkMode(errors: FieldError[], at: string, spec: t.JobSpec): void {
  const { completionMode: mode, parallelism = 0 } = spec;
  checkEnum(errors, `${at}.completionMode`, mode, ['NonIndexed', 'Indexed']);
  if (mode === 'Indexed') {
    if (spec.completions === undefined) errors.push(required(`${at}.completions`, 'when completion mode is Indexed'));
    if (parallelism > maxParallelismIndexed) {
      const detail = `must be less than or equal to ${maxParallelismIndexed} when completion mode is Indexed`;
      errors.push(invalid(`${at}.parallelism`, parallelism, detail));
    }
    const { maxFailedIndexes: most, completions = 0 } = spec;
    if (spec.completions !== undefined && most !== undefined && most > completions) {
      errors.push(invalid(`${at}.maxFailedIndexes`, most, 'must be less than or equal to completions'));
    }
    if (most !== undefined && most > maxParallelismIndexed) {
      errors.push(invalid(`${at}.maxFailedIndexes`, most, `must be less than or equal to ${maxParallelismIndexed}`));
    }
    checkManyCompletions(errors, at, spec);
    return;
  }
  if (spec.successPolicy) errors.push(invalid(`${at}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'));
  if (mode !== undefined && mode !== 'NonIndexed') return;
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    const value = spec[field];
    if (value !== undefined) errors.push(invalid(`${at}.${field}`, value, 'requires indexed completion mode'));
  }
}

const highCompletions = 100_000;
const highLimit = 10_000;

/** So many indexes that keeping count of them has to be bounded. */
function checkManyCompletions(errors: FieldError[], at: string, spec: t.JobSpec): void {
  const { completions = 0, backoffLimitPerIndex, maxFailedIndexes: most, parallelism = 0 } = spec;
  if (completions <= highCompletions || backoffLimitPerIndex === undefined) return;
  const detail = `must be less than or equal to ${highLimit} when completions are above ${highCompletions} and used with backoff limit per index`;
  if (most === undefined) {
    errors.push(required(`${at}.maxFailedIndexes`, `must be specified when completions is above ${highCompletions}`));
  }
  if (parallelism > highLimit) errors.push(invalid(`${at}.parallelism`, parallelism, detail));
  if (most !== undefined && most > highLimit) errors.push(invalid(`${at}.maxFailedIndexes`, most, detail));
}

function checkTemplate(errors: FieldError[], at: string, template: t.PodTemplateSpec, spec: t.JobSpec): void {
  checkPodTemplate(errors, at, template);
  const field = `${at}.spec.restartPolicy`;
  const policy = template.spec?.restartPolicy;
  if (!policy || policy === 'Always') errors.push(required(field, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(notSupported(field, policy, ['OnFailure', 'Never']));
  else if (policy === 'OnFailure' && spec.podFailurePolicy) {
    errors.push(invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  }
}

/** A Job, with the selector and labels that the server generates. */
export function validateJob({ metadata, spec }: t.Job): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  checkGeneratedLabels(errors, metadata, spec);
  const { selector, template } = spec;
  if (!selector) errors.push(required('spec.selector'));
  else checkLabelSelector(errors, 'spec.selector', selector);
  checkJobSpec(errors, 'spec', spec);
  checkSelectsTemplate(errors, selector, template);
  const { completionMode, completions = 0 } = spec;
  const host = `${metadata.name}-${completions - 1}`;
  if (completionMode === 'Indexed' && completions > 0 && dns1123Label(host).length > 0) {
    const detail = `will not able to create pod with invalid DNS label: ${host}`;
    errors.push(invalid('metadata.name', metadata.name, detail));
  }
  return errors;
}

export const controllerUidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
export const jobNameLabels = ['job-name', 'batch.kubernetes.io/job-name'];

function checkGeneratedLabels(errors: FieldError[], metadata: t.ObjectMeta, spec: t.JobSpec): void {
  if (spec.manualSelector || !spec.selector) return;
  const labels = spec.template?.metadata?.labels ?? {};
  for (const [keys, wanted] of [
    [controllerUidLabels, metadata.uid],
    [jobNameLabels, metadata.name],
  ] as const) {
    for (const key of keys) {
      if (labels[key] === wanted) continue;
      if (labels[key] === undefined) errors.push(required(keyed('spec.template.metadata.labels', key), `must be '${wanted}'`));
      else errors.push(invalid(keyed('spec.template.metadata.labels', key), labels, `must be '${wanted}'`));
    }
  }
  const generated = Object.fromEntries([
    ...controllerUidLabels.map((key) => [key, metadata.uid]),
    ...jobNameLabels.map((key) => [key, metadata.name]),
  ]);
  if (!matchesLabelSelector(spec.selector, generated)) {
    errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
}

/** The pods of a job are made from one template; only a suspended job may still be steered. */
export function validateJobUpdate(next: t.Job, previous: t.Job): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = next;
  const before = previous.spec;
  if (!semanticEqual(spec.completions, before.completions) && !isElastic(spec, before)) {
    const detail =
      spec.completionMode === 'Indexed' ? 'can only be modified in tandem with spec.parallelism' : 'field is immutable';
    errors.push(invalid('spec.completions', spec.completions, detail));
  }
  for (const field of [
    'selector',
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    checkImmutable(errors, `spec.${field}`, spec[field], before[field]);
  }
  checkTemplateKept(errors, next, previous);
  return errors;
}

/** An indexed job may grow and shrink when completions and parallelism stay the same number. */
function isElastic(spec: t.JobSpec, before: t.JobSpec): boolean {
  const isIndexed = spec.completionMode === 'Indexed' && before.completionMode === 'Indexed';
  return isIndexed && spec.completions === spec.parallelism && before.completions === before.parallelism;
}

function checkTemplateKept(errors: FieldError[], next: t.Job, previous: t.Job): void {
  const steerable = previous.spec.suspend === true && !previous.status?.startTime;
  const suspended = previous.status?.conditions?.some((c) => c.type === 'Suspended' && c.status === 'True') ?? false;
  const mayResize = previous.spec.suspend === true && (steerable || suspended) && !previous.status?.active;
  const before = withoutDirectives(previous.spec.template, steerable || mayResize, mayResize);
  const after = withoutDirectives(next.spec.template, steerable || mayResize, mayResize);
  const field = mayResize ? 'spec.template.spec' : 'spec.template';
  checkImmutable(errors, field, mayResize ? after.spec : after, mayResize ? before.spec : before);
}

function withoutDirectives(template: t.PodTemplateSpec, directives: boolean, resources: boolean): t.PodTemplateSpec {
  if (!template.spec || !directives) return template;
  const { nodeSelector: _, tolerations: _tolerations, schedulingGates: _gates, affinity, ...spec } = template.spec;
  const { nodeAffinity: _node, ...others } = affinity ?? {};
  const { labels: _labels, annotations: _annotations, ...metadata } = template.metadata ?? {};
  const kept: t.PodSpec = resources ? { ...spec, containers: spec.containers.map(withoutResources) } : spec;
  return { metadata, spec: Object.keys(others).length > 0 ? { ...kept, affinity: others } : kept };
}

function withoutResources({ resources: _, ...container }: t.Container): t.Container {
  return container;
}
