import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkNonNegative } from '../../validation/checks.ts';
import { checkConditions } from '../../validation/conditions.ts';
import { invalid } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkShare } from '../apps/workload-validation.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';

export type PodDisruptionBudget = t.PodDisruptionBudget;
export const PodDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  freeFinalizers: true,
  subresources: [statusSubresource],
  allowUnconditionalUpdate: false,
  applyDefaults(budget) {
    budget.spec ??= {};
  },
  prepareForCreate(budget, context) {
    countedWithStatus.prepareForCreate(budget, context);
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec;
    if (isSet(minAvailable) && isSet(maxUnavailable)) {
      errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
    }
    checkShare(errors, 'spec.minAvailable', minAvailable);
    checkShare(errors, 'spec.maxUnavailable', maxUnavailable);
    checkLabelSelector(errors, 'spec.selector', spec.selector);
    const policies = ['AlwaysAllow', 'IfHealthyBudget'];
    checkEnum(errors, 'spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, policies);
    return errors;
  },
  validateStatusUpdate({ status = {} }) {
    const errors: FieldError[] = [];
    for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
      checkNonNegative(errors, `status.${field}`, status[field]);
    }
    checkConditions(errors, 'status.conditions', status.conditions);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Min Available', type: 'string', cell: (budget) => String(budget.spec?.minAvailable ?? 'N/A') },
    { name: 'Max Unavailable', type: 'string', cell: (budget) => String(budget.spec?.maxUnavailable ?? 'N/A') },
    { name: 'Allowed Disruptions', type: 'integer', cell: (budget) => budget.status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
});

const isSet = (value: t.IntOrString | undefined): boolean => value !== undefined && value !== null;
