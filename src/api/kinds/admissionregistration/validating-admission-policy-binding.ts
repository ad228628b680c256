import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { duplicate, invalid, notSupported, required } from '../../validation/errors.ts';
import { counted } from '../strategy.ts';
import { checkBindingSpec, paramRefText } from './policy-rules.ts';
import { defaultMatchResources } from './rules.ts';

const actions = ['Audit', 'Deny', 'Warn'];

export type ValidatingAdmissionPolicyBinding = t.ValidatingAdmissionPolicyBinding;
export const ValidatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  allowUnconditionalUpdate: false,
  applyDefaults({ spec }) {
    defaultMatchResources(spec?.matchResources);
  },
  ...counted,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    checkBindingSpec(errors, spec);
    checkActions(errors, 'spec.validationActions', spec.validationActions ?? []);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'PolicyName', type: 'string', cell: ({ spec }) => spec?.policyName ?? '' },
    { name: 'ParamRef', type: 'string', cell: ({ spec }) => paramRefText(spec?.paramRef) },
    ageColumn,
  ],
});

function checkActions(errors: FieldError[], field: string, wanted: readonly string[]): void {
  wanted.forEach((action, i) => {
    if (!actions.includes(action)) errors.push(notSupported(`${field}[${i}]`, action, actions));
    if (wanted.indexOf(action) < i) errors.push(duplicate(`${field}[${i}]`, action));
  });
  if (wanted.includes('Deny') && wanted.includes('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(field, wanted, detail));
  }
  if (wanted.length === 0) errors.push(required(field, 'at least one validation action is required'));
}
