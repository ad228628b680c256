import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { unset } from '../../table/columns.ts';
import { checkText } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1035Label, dns1123Subdomain, pathSegment } from '../../validation/names.ts';
import { checkMatchConditions, checkMatchResources, failurePolicies } from './rules.ts';

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

type PolicySpec = Pick<
  t.ValidatingAdmissionPolicySpec,
  'failurePolicy' | 'matchConditions' | 'matchConstraints' | 'paramKind' | 'variables'
>;

/** What policies that validate and policies that mutate share. */
export function checkPolicySpec(errors: FieldError[], spec: PolicySpec): void {
  const { failurePolicy, paramKind, matchConstraints, variables = [] } = spec;
  if (failurePolicy === undefined) errors.push(required('spec.failurePolicy'));
  else if (!failurePolicies.includes(failurePolicy)) {
    errors.push(notSupported('spec.failurePolicy', failurePolicy, failurePolicies));
  }
  if (paramKind) checkParamKind(errors, 'spec.paramKind', paramKind);
  if (!matchConstraints) errors.push(required('spec.matchConstraints'));
  else {
    checkMatchResources(errors, 'spec.matchConstraints', matchConstraints);
    if (!matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'));
  }
  checkMatchConditions(errors, 'spec.matchConditions', spec.matchConditions);
  variables.forEach(({ name, expression }, i) => {
    const at = `spec.variables[${i}]`;
    if (!name) errors.push(required(`${at}.name`, 'name is not specified'));
    else if (!identifier.test(name)) errors.push(invalid(`${at}.name`, name, 'must be a valid CEL identifier'));
    if (!expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
  });
}

function checkParamKind(errors: FieldError[], at: string, { apiVersion, kind }: t.ParamKind): void {
  if (!apiVersion) errors.push(required(`${at}.apiVersion`));
  else {
    const slash = apiVersion.lastIndexOf('/');
    const version = apiVersion.slice(slash + 1);
    if (slash > 0) checkText(errors, `${at}.apiVersion`, apiVersion.slice(0, slash), dns1123Subdomain);
    if (!version) errors.push(invalid(`${at}.apiVersion`, apiVersion, 'version must be specified'));
    checkText(errors, `${at}.apiVersion`, version, dns1035Label);
  }
  if (!kind) errors.push(required(`${at}.kind`));
  else {
    const problems = dns1035Label(kind.toLowerCase());
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    if (problems.length > 0) errors.push(invalid(`${at}.kind`, kind, detail));
  }
}

type BindingSpec = Pick<t.ValidatingAdmissionPolicyBindingSpec, 'matchResources' | 'paramRef'> & { policyName?: string };

/** What the bindings of both kinds of policy share. */
export function checkBindingSpec(errors: FieldError[], { policyName, paramRef, matchResources }: BindingSpec): void {
  if (!policyName) errors.push(required('spec.policyName'));
  else checkText(errors, 'spec.policyName', policyName, dns1123Subdomain);
  if (paramRef) checkParamRef(errors, 'spec.paramRef', paramRef);
  if (matchResources) checkMatchResources(errors, 'spec.matchResources', matchResources);
}

function checkParamRef(errors: FieldError[], at: string, reference: t.ParamRef): void {
  const { name, selector, parameterNotFoundAction: action } = reference;
  const detail = 'name and selector are mutually exclusive';
  if (name) {
    checkText(errors, `${at}.name`, name, pathSegment);
    if (selector) errors.push(forbidden(`${at}.name`, detail), forbidden(`${at}.selector`, detail));
  } else if (selector) checkLabelSelector(errors, `${at}.selector`, selector);
  else errors.push(required(at, 'one of name or selector must be specified'));
  if (!action) errors.push(required(`${at}.parameterNotFoundAction`));
  else if (action !== 'Deny' && action !== 'Allow') {
    errors.push(notSupported(`${at}.parameterNotFoundAction`, action, ['Deny', 'Allow']));
  }
}

export const paramKindText = (kind: t.ParamKind | undefined): string => (kind ? `${kind.apiVersion}/${kind.kind}` : unset);

/** `namespace/name`, `*` for any namespace, or the selector as upstream prints its struct. */
export function paramRefText(reference: t.ParamRef | undefined): string {
  if (!reference) return unset;
  if (reference.name) return `${reference.namespace || '*'}/${reference.name}`;
  return reference.selector ? structText(reference.selector) : unset;
}

function structText({ matchLabels = {}, matchExpressions = [] }: t.LabelSelector): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}
