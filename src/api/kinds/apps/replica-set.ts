import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { defaultPodTemplate } from '../core/pod-spec.ts';
import { templateWarnings } from '../core/pod-warnings.ts';
import { countedWithStatus } from '../strategy.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { selectorColumn, templateColumns } from '../template-columns.ts';
import { checkReplicaCounts, checkSelectorAndTemplate } from './workload-validation.ts';

export type ReplicaSet = t.ReplicaSet;
export const ReplicaSet = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [scaleSubresource, statusSubresource],
  applyDefaults(rs) {
    rs.spec ??= {} as t.ReplicaSetSpec;
    defaultPodTemplate(rs.spec);
    rs.spec.replicas ??= 1;
  },
  prepareForCreate(rs, context) {
    countedWithStatus.prepareForCreate(rs, context);
    rs.status = { replicas: 0 };
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    checkNonNegative(errors, 'spec.replicas', spec.replicas);
    checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
    checkSelectorAndTemplate(errors, spec, { noun: 'deployment', kind: 'ReplicaSet', unreadable: 'invalid label selector' });
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.selector', next.spec.selector, previous.spec.selector);
    return errors;
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    checkReplicaCounts(errors, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
    return errors;
  },
  warnings: (next, previous) =>
    templateWarnings(next, previous, { at: 'spec.template', template: next.spec?.template, namesPods: true }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: (rs) => rs.spec?.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: (rs) => rs.status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: (rs) => rs.status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<ReplicaSet>(({ spec }) => spec?.template),
    selectorColumn<ReplicaSet>(({ spec }) => spec?.selector),
  ],
});
