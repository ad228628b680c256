import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, labelText, nameColumn } from '../../table/columns.ts';
import { checkNonNegative } from '../../validation/checks.ts';
import { required } from '../../validation/errors.ts';
import { checkAlwaysRestarts, checkReplicaCounts, checkSelectsTemplate } from '../apps/workload-validation.ts';
import { countedWithStatus } from '../strategy.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { templateColumns } from '../template-columns.ts';
import { defaultPodTemplate } from './pod-spec.ts';
import { checkPodTemplate } from './pod-spec-validation.ts';
import { templateWarnings } from './pod-warnings.ts';

export type ReplicationController = t.ReplicationController;
export const ReplicationController = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [scaleSubresource, statusSubresource],
  defaultPropagation: 'Orphan',
  applyDefaults(rc) {
    const spec = (rc.spec ??= {});
    spec.replicas ??= 1;
    if (!spec.template) return;
    defaultPodTemplate(spec);
    const labels = spec.template.metadata?.labels;
    if (!labels) return;
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(rc.metadata.labels ?? {}).length === 0) rc.metadata.labels = { ...labels };
  },
  prepareForCreate(rc, context) {
    countedWithStatus.prepareForCreate(rc, context);
    rc.status = { replicas: 0 };
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
    if (Object.keys(spec.selector ?? {}).length === 0) errors.push(required('spec.selector'));
    checkNonNegative(errors, 'spec.replicas', spec.replicas);
    if (!spec.template) errors.push(required('spec.template'));
    else {
      if (Object.keys(spec.selector ?? {}).length > 0)
        checkSelectsTemplate(errors, { matchLabels: spec.selector! }, spec.template);
      checkPodTemplate(errors, 'spec.template', spec.template);
      checkAlwaysRestarts(errors, spec.template, 'ReplicationController');
    }
    return errors;
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    checkReplicaCounts(errors, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
    return errors;
  },
  selectableFields: { 'status.replicas': (rc) => String(rc.status?.replicas ?? 0) },
  warnings: (next, previous) =>
    templateWarnings(next, previous, { at: 'spec.template', template: next.spec?.template, namesPods: true }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: (rc) => rc.spec?.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: (rc) => rc.status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: (rc) => rc.status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicationController>(({ spec }) => spec?.template),
    { name: 'Selector', type: 'string', priority: 1, cell: (rc) => labelText(rc.spec?.selector) },
  ],
});
