import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkRules, roleColumns } from './rules.ts';

export type Role = t.Role;
export const Role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  scope: 'Namespaced',
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
  validate({ rules }) {
    const errors: FieldError[] = [];
    checkRules(errors, rules, true);
    return errors;
  },
  columns: roleColumns,
});
