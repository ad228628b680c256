import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkText } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const subjects = { User: 'user', Group: 'group', ServiceAccount: 'serviceAccount' } as const;

/** Who may ask what, for a flow schema to apply. */
export function checkPolicyRules(errors: FieldError[], at: string, rule: t.PolicyRulesWithSubjects): void {
  const { subjects: who = [], resourceRules = [], nonResourceRules = [] } = rule;
  if (who.length === 0) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
  who.forEach((subject, i) => {
    checkSubject(errors, `${at}.subjects[${i}]`, subject);
  });
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  resourceRules.forEach((resource, i) => {
    checkResourceRule(errors, `${at}.resourceRules[${i}]`, resource);
  });
  nonResourceRules.forEach((path, i) => {
    checkPathRule(errors, `${at}.nonResourceRules[${i}]`, path);
  });
}

function checkSubject(errors: FieldError[], at: string, subject: t.FlowcontrolSubject): void {
  const { kind } = subject;
  if (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount') {
    errors.push(notSupported(`${at}.kind`, kind ?? '', ['Group', 'ServiceAccount', 'User']));
    return;
  }
  for (const [other, field] of Object.entries(subjects)) {
    if (other === kind || !subject[field]) continue;
    errors.push(forbidden(`${at}.${field}`, `${field} is forbidden when subject kind is not '${other}'`));
  }
  const field = subjects[kind];
  const value = subject[field];
  if (!value) {
    errors.push(required(`${at}.${field}`, `${field} is required when subject kind is '${kind}'`));
    return;
  }
  if (!value.name) errors.push(required(`${at}.${field}.name`));
  if (kind === 'ServiceAccount') checkAccount(errors, `${at}.serviceAccount`, subject.serviceAccount!);
}

function checkAccount(errors: FieldError[], at: string, { name, namespace }: t.ServiceAccountSubject): void {
  if (name !== '*') checkText(errors, `${at}.name`, name, dns1123Subdomain);
  if (!namespace) errors.push(required(`${at}.namespace`, 'must specify namespace for service account'));
  else checkText(errors, `${at}.namespace`, namespace, dns1123Label);
}

function checkVerbs(errors: FieldError[], field: string, wanted: readonly string[]): void {
  if (wanted.length === 0) errors.push(required(field, 'verbs must contain at least one value'));
  else if (wanted.includes('*')) {
    if (wanted.length > 1) errors.push(invalid(field, wanted, "if '*' is present, must not specify other verbs"));
  } else if (!wanted.every((verb) => verbs.includes(verb))) errors.push(notSupported(field, wanted, verbs));
}

function checkResourceRule(errors: FieldError[], at: string, rule: t.ResourcePolicyRule): void {
  const { apiGroups = [], resources = [], namespaces = [] } = rule;
  checkVerbs(errors, `${at}.verbs`, rule.verbs ?? []);
  checkList(errors, `${at}.apiGroups`, apiGroups, 'api group');
  checkList(errors, `${at}.resources`, resources, 'resource');
  if (namespaces.length === 0 && !rule.clusterScope) {
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(required(`${at}.namespaces`, detail));
  }
  if (namespaces.includes('*')) {
    if (namespaces.length > 1) {
      errors.push(invalid(`${at}.namespaces`, namespaces, "if '*' is present, must not specify other namespaces"));
    }
    return;
  }
  namespaces.forEach((namespace, i) => {
    for (const problem of dns1123Label(namespace)) {
      const detail = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
      errors.push(invalid(`${at}.namespaces[${i}]`, namespace, detail));
    }
  });
}

function checkList(errors: FieldError[], field: string, values: readonly string[], noun: string): void {
  if (values.length === 0) errors.push(required(field, `resource rules must supply at least one ${noun}`));
  else if (values.includes('*') && values.length > 1) {
    errors.push(invalid(field, values, `if '*' is present, must not specify other ${noun}s`));
  }
}

function checkPathRule(errors: FieldError[], at: string, rule: t.NonResourcePolicyRule): void {
  const paths = rule.nonResourceURLs ?? [];
  const field = `${at}.nonResourceURLs`;
  checkVerbs(errors, `${at}.verbs`, rule.verbs ?? []);
  if (paths.length === 0) errors.push(required(field, 'nonResourceURLs must contain at least one value'));
  else if (paths.includes('*')) {
    if (paths.length > 1) {
      errors.push(invalid(field, paths, "if '*' is present, must not specify other non-resource URLs"));
    }
  } else for (const [i, path] of paths.entries()) checkPath(errors, `${field}[${i}]`, path);
}

function checkPath(errors: FieldError[], field: string, path: string): void {
  if (!path) errors.push(invalid(field, path, 'must not be empty'));
  else if (path === '/') return;
  else if (!path.startsWith('/')) errors.push(invalid(field, path, 'must start with slash'));
  else if (path.includes(' ')) errors.push(invalid(field, path, 'must not contain white-space'));
  else if (path.includes('//')) errors.push(invalid(field, path, 'must not contain double slash'));
  else if (path.slice(0, -1).includes('*')) errors.push(invalid(field, path, 'wildcard can only do suffix matching'));
}
