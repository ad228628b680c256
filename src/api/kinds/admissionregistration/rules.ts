import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum } from '../../validation/checks.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { pathSegment, qualifiedName } from '../../validation/names.ts';

/** What webhooks and admission policies share. kubernetes: pkg/apis/admissionregistration/{v1/defaults.go,validation}. */

export const failurePolicies = ['Fail', 'Ignore'];
const matchPolicies = ['Equivalent', 'Exact'];
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const maxMatchConditions = 64;

interface Rule {
  apiGroups?: string[];
  apiVersions?: string[];
  operations?: string[];
  resources?: string[];
  resourceNames?: string[];
  scope?: string;
}

export function defaultRules(rules: readonly Rule[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

/** Which requests a webhook or policy is asked about. `subresources`: they may be named. */
export function checkRules(errors: FieldError[], field: string, rules: readonly Rule[] | undefined): void {
  rules?.forEach((rule, i) => {
    checkRule(errors, `${field}[${i}]`, rule);
  });
}

function checkRule(errors: FieldError[], at: string, rule: Rule): void {
  const { operations: wanted = [], apiGroups = [], apiVersions = [], resources = [], resourceNames = [] } = rule;
  if (wanted.length === 0) errors.push(required(`${at}.operations`));
  checkAlone(errors, `${at}.operations`, wanted, 'operations');
  wanted.forEach((operation, i) => {
    if (!operations.includes(operation)) errors.push(notSupported(`${at}.operations[${i}]`, operation, operations));
  });
  if (apiGroups.length === 0) errors.push(required(`${at}.apiGroups`));
  checkAlone(errors, `${at}.apiGroups`, apiGroups, 'API groups');
  if (apiVersions.length === 0) errors.push(required(`${at}.apiVersions`));
  checkAlone(errors, `${at}.apiVersions`, apiVersions, 'API versions');
  apiVersions.forEach((version, i) => {
    if (version === '') errors.push(required(`${at}.apiVersions[${i}]`));
  });
  checkResources(errors, `${at}.resources`, resources);
  checkEnum(errors, `${at}.scope`, rule.scope, scopes);
  resourceNames.forEach((name, i) => {
    for (const problem of pathSegment(name)) errors.push(invalid(`${at}.resourceNames[${i}]`, name, problem));
    if (resourceNames.indexOf(name) < i) errors.push(duplicate(`${at}.resourceNames[${i}]`, name));
  });
}

function checkAlone(errors: FieldError[], field: string, values: readonly string[], noun: string): void {
  if (values.length < 2 || !values.includes('*')) return;
  errors.push(invalid(field, values, `if '*' is present, must not specify other ${noun}`));
}

/** Of what is wider, only what comes later is too much. */
function checkResource(errors: FieldError[], field: string, resource: string, earlier: ReadonlySet<string>): void {
  if (resource === '') errors.push(required(field));
  const [main = '', sub] = resource.split('/');
  if (sub === undefined) return;
  for (const wider of new Set([`${main}/*`, `*/${sub}`])) {
    if (!earlier.has(wider)) continue;
    errors.push(invalid(field, resource, `if '${wider}' is present, must not specify ${resource}`));
  }
}

/** `pods`, `pods/log`, `*`, `pods/*`, `*` with a sub-resource, or everything. */
function checkResources(errors: FieldError[], field: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.push(required(field));
  const earlier = new Set<string>();
  resources.forEach((resource, i) => {
    checkResource(errors, `${field}[${i}]`, resource, earlier);
    earlier.add(resource);
  });
  if (resources.includes('*/*') && resources.length > 1) {
    errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"));
  }
  const plain = resources.filter((resource) => resource !== '' && !resource.includes('/'));
  if (plain.includes('*') && plain.at(-1) !== '*') {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(field, resources, detail));
  }
}

/** Expressions that must hold before a webhook or policy is asked; they are compiled elsewhere. */
export function checkMatchConditions(errors: FieldError[], field: string, conditions: readonly t.MatchCondition[] = []): void {
  if (conditions.length > maxMatchConditions) errors.push(tooMany(field, conditions.length, maxMatchConditions));
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    if (!expression?.trim()) errors.push(required(`${field}[${i}].expression`));
    if (!name) errors.push(required(`${field}[${i}].name`));
    else {
      for (const problem of qualifiedName(name)) errors.push(invalid(`${field}[${i}].name`, name, problem));
      if (names.has(name)) errors.push(duplicate(`${field}[${i}].name`, name));
    }
    names.add(name);
  });
}

/** The resources that a policy or binding is about. */
export function defaultMatchResources(match: t.MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

export function checkMatchResources(errors: FieldError[], at: string, match: t.MatchResources): void {
  if (match.matchPolicy === undefined) errors.push(required(`${at}.matchPolicy`));
  checkEnum(errors, `${at}.matchPolicy`, match.matchPolicy, matchPolicies);
  for (const selector of ['namespaceSelector', 'objectSelector'] as const) {
    if (!match[selector]) errors.push(required(`${at}.${selector}`));
    checkLabelSelector(errors, `${at}.${selector}`, match[selector]);
  }
  checkRules(errors, `${at}.resourceRules`, match.resourceRules);
  checkRules(errors, `${at}.excludeResourceRules`, match.excludeResourceRules);
}
