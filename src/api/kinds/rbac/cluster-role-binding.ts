import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { bindingColumns, checkBinding, defaultBinding, validateBindingUpdate } from './rules.ts';

export type ClusterRoleBinding = t.ClusterRoleBinding;
export const ClusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
  applyDefaults: defaultBinding,
  validate(binding) {
    const errors: FieldError[] = [];
    checkBinding(errors, binding, false);
    return errors;
  },
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
