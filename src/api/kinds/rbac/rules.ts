import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Subdomain, pathSegment } from '../../validation/names.ts';

/** What roles and bindings of both scopes share. kubernetes: pkg/apis/rbac/validation/validation.go. */

const rbacGroup = 'rbac.authorization.k8s.io';

export function checkRules(errors: FieldError[], rules: readonly t.PolicyRule[] | undefined, isNamespaced: boolean): void {
  rules?.forEach((rule, i) => {
    checkRule(errors, `rules[${i}]`, rule, isNamespaced);
  });
}

function checkRule(errors: FieldError[], at: string, rule: t.PolicyRule, isNamespaced: boolean): void {
  const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  if (verbs.length === 0) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const field = `${at}.nonResourceURLs`;
    if (isNamespaced) errors.push(invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      errors.push(invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return;
  }
  if (apiGroups.length === 0) errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0) errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
}

interface Binding {
  readonly roleRef: t.RoleRef;
  readonly subjects?: readonly t.Subject[];
}

/** A role is of the RBAC group, and so are users and groups. */
export function defaultBinding(binding: { roleRef: t.RoleRef; subjects?: t.Subject[] }): void {
  binding.roleRef ??= { kind: '', name: '' };
  binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
  }
}

export function checkBinding(errors: FieldError[], { roleRef, subjects = [] }: Binding, isNamespaced: boolean): void {
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {};
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]));
  if (!kinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, kinds));
  if (!name) errors.push(required('roleRef.name'));
  else for (const problem of pathSegment(name)) errors.push(invalid('roleRef.name', name, problem));
  subjects.forEach((subject, i) => {
    checkSubject(errors, `subjects[${i}]`, subject, isNamespaced);
  });
}

function checkSubject(errors: FieldError[], at: string, subject: t.Subject, isNamespaced: boolean): void {
  const { kind = '', name = '', apiGroup = '', namespace } = subject;
  if (!name) errors.push(required(`${at}.name`));
  if (kind === 'ServiceAccount') {
    if (name) for (const problem of dns1123Subdomain(name)) errors.push(invalid(`${at}.name`, name, problem));
    if (apiGroup) errors.push(notSupported(`${at}.apiGroup`, apiGroup, ['']));
    if (!isNamespaced && !namespace) errors.push(required(`${at}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${at}.apiGroup`, apiGroup, [rbacGroup]));
  } else errors.push(notSupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
}

/** A binding binds one role for good: another role is another binding. */
export function validateBindingUpdate(next: Binding, previous: Binding): FieldError[] {
  return semanticEqual(next.roleRef, previous.roleRef) ? [] : [invalid('roleRef', next.roleRef, 'cannot change roleRef')];
}

export const bindingColumns: readonly Column<t.RoleBinding>[] = [
  nameColumn,
  { name: 'Role', type: 'string', cell: ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}` },
  ageColumn,
  { name: 'Users', type: 'string', priority: 1, cell: (binding) => subjectsText(binding, 'User') },
  { name: 'Groups', type: 'string', priority: 1, cell: (binding) => subjectsText(binding, 'Group') },
  { name: 'ServiceAccounts', type: 'string', priority: 1, cell: (binding) => subjectsText(binding, 'ServiceAccount') },
];

function subjectsText({ subjects = [] }: Binding, kind: string): string {
  const named = subjects.filter((s) => s.kind === kind);
  return named.map((s) => (s.namespace ? `${s.namespace}/${s.name}` : s.name)).join(', ');
}

export const roleColumns: readonly Column<t.Role>[] = [
  nameColumn,
  { name: 'Created At', type: 'date', cell: (role) => role.metadata.creationTimestamp ?? null },
];
