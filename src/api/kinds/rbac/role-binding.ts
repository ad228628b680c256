import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { bindingColumns, checkBinding, defaultBinding, validateBindingUpdate } from './rules.ts';

export type RoleBinding = t.RoleBinding;
export const RoleBinding = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
  applyDefaults: defaultBinding,
  validate(binding) {
    const errors: FieldError[] = [];
    checkBinding(errors, binding, true);
    return errors;
  },
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});
