import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum } from '../../validation/checks.ts';
import { forbidden, notSupported, required } from '../../validation/errors.ts';
import { counted } from '../strategy.ts';
import { checkPolicySpec, paramKindText } from './policy-rules.ts';
import { defaultMatchResources } from './rules.ts';

const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

export type MutatingAdmissionPolicy = t.MutatingAdmissionPolicy;
export const MutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  allowUnconditionalUpdate: false,
  applyDefaults(policy) {
    policy.spec ??= {};
    policy.spec.failurePolicy ??= 'Fail';
    defaultMatchResources(policy.spec.matchConstraints);
  },
  ...counted,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    checkPolicySpec(errors, spec);
    const mutations = spec.mutations ?? [];
    if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
    mutations.forEach((mutation, i) => {
      checkMutation(errors, `spec.mutations[${i}]`, mutation);
    });
    if (!spec.reinvocationPolicy) errors.push(required('spec.reinvocationPolicy'));
    checkEnum(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, ['IfNeeded', 'Never']);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Mutations', type: 'integer', cell: ({ spec }) => spec?.mutations?.length ?? 0 },
    { name: 'ParamKind', type: 'string', cell: ({ spec }) => paramKindText(spec?.paramKind) },
    ageColumn,
  ],
});

/** The type of a mutation says which of its fields holds the expression. */
function checkMutation(errors: FieldError[], at: string, mutation: t.Mutation): void {
  const { patchType } = mutation;
  if (!patchType) {
    errors.push(required(`${at}.patchType`));
    return;
  }
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    errors.push(notSupported(`${at}.patchType`, patchType, Object.keys(patchFields)));
    return;
  }
  const field = patchFields[patchType];
  if (!mutation[field]?.expression?.trim()) {
    errors.push(required(`${at}.${field}`, `must be specified when patchType is ${patchType}`));
  }
  for (const other of Object.values(patchFields)) {
    if (other !== field && mutation[other]) {
      errors.push(forbidden(`${at}.${other}`, `must not be specified when patchType is ${patchType}`));
    }
  }
}
