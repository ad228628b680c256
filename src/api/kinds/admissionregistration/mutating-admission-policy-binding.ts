import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { counted } from '../strategy.ts';
import { checkBindingSpec, paramRefText } from './policy-rules.ts';
import { defaultMatchResources } from './rules.ts';

export type MutatingAdmissionPolicyBinding = t.MutatingAdmissionPolicyBinding;
export const MutatingAdmissionPolicyBinding = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
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
    if (spec) checkBindingSpec(errors, spec);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'PolicyName', type: 'string', cell: ({ spec }) => spec?.policyName ?? '' },
    { name: 'ParamRef', type: 'string', cell: ({ spec }) => paramRefText(spec?.paramRef) },
    ageColumn,
  ],
});
