import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { invalid, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkRules, roleColumns } from './rules.ts';

export type ClusterRole = t.ClusterRole;
export const ClusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
  validate({ rules, aggregationRule }) {
    const errors: FieldError[] = [];
    checkRules(errors, rules, false);
    if (!aggregationRule) return errors;
    const field = 'aggregationRule.clusterRoleSelectors';
    const selectors = aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) {
      errors.push(required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    }
    selectors.forEach((selector, i) => {
      const before = errors.length;
      checkLabelSelector(errors, `${field}[${i}]`, selector);
      if (errors.length > before) errors.push(invalid(`${field}[${i}]`, selector, 'invalid label selector.'));
    });
    return errors;
  },
  columns: roleColumns,
});
