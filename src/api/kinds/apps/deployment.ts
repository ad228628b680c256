import { defineKind, keepAllButStatus, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { equalMaps } from '../../validation/equal.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { defaultPodTemplate } from '../core/pod-spec.ts';
import { templateWarnings } from '../core/pod-warnings.ts';
import { contentChanged, countedWithStatus, setGeneration } from '../strategy.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { selectorColumn, templateColumns } from '../template-columns.ts';
import { checkCollisionCount, checkReplicaCounts, checkSelectorAndTemplate, checkShare, isZero } from './workload-validation.ts';

const defaultShare = '25%';
const defaultHistory = 10;
const defaultProgressDeadlineSeconds = 600;

export type Deployment = t.Deployment;
export const Deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  scope: 'Namespaced',
  resetFields: { status: ['spec', 'metadata.labels'] },
  subresources: [scaleSubresource, statusSubresource],
  applyDefaults(deployment) {
    const spec = (deployment.spec ??= {} as t.DeploymentSpec);
    defaultPodTemplate(spec);
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= defaultHistory;
    spec.progressDeadlineSeconds ??= defaultProgressDeadlineSeconds;
    const strategy = (spec.strategy ??= {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type !== 'RollingUpdate') return;
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= defaultShare;
    strategy.rollingUpdate.maxSurge ??= defaultShare;
  },
  ...countedWithStatus,
  // Of all workloads only this one counts a change of annotations, too.
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    const sameAnnotations = equalMaps(next.metadata.annotations, previous.metadata.annotations);
    setGeneration(next, previous, !sameAnnotations || contentChanged(next, previous));
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    if (previous.metadata.labels) next.metadata.labels = previous.metadata.labels;
    else delete next.metadata.labels;
  },
  validate: validateDeployment,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.selector', next.spec.selector, previous.spec.selector);
    return errors;
  },
  validateStatusUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkReplicaCounts(errors, next.status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']);
    checkNonNegative(errors, 'status.unavailableReplicas', next.status?.unavailableReplicas);
    checkCollisionCount(errors, next.status?.collisionCount, previous.status?.collisionCount);
    return errors;
  },
  warnings: (next, previous) =>
    templateWarnings(next, previous, { at: 'spec.template', template: next.spec?.template, namesPods: true }),
  columns: [
    nameColumn,
    {
      name: 'Ready',
      type: 'string',
      description: 'Pods that are ready, of those wanted.',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    },
    { name: 'Up-to-date', type: 'string', cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<Deployment>(({ spec }) => spec?.template),
    selectorColumn<Deployment>(({ spec }) => spec?.selector),
  ],
});

function validateDeployment({ spec }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  checkNonNegative(errors, 'spec.replicas', spec.replicas);
  checkSelectorAndTemplate(errors, spec, { noun: 'deployment', kind: 'ReplicaSet', unreadable: 'invalid label selector' });
  checkStrategy(errors, spec.strategy ?? {});
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkNonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  checkNonNegative(errors, 'spec.progressDeadlineSeconds', spec.progressDeadlineSeconds);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function checkStrategy(errors: FieldError[], strategy: t.DeploymentStrategy): void {
  const field = 'spec.strategy.rollingUpdate';
  const { type, rollingUpdate: rolling } = strategy;
  if (type === 'Recreate') {
    if (rolling) errors.push(forbidden(field, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type !== 'RollingUpdate') {
    errors.push(notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate']));
  } else if (!rolling) errors.push(required(field, 'this should be defaulted and never be nil'));
  else {
    checkShare(errors, `${field}.maxUnavailable`, rolling.maxUnavailable);
    checkShare(errors, `${field}.maxSurge`, rolling.maxSurge);
    if (isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)) {
      errors.push(invalid(`${field}.maxUnavailable`, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    }
  }
}
