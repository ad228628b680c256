import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkGiven } from '../../validation/checks.ts';
import { checkConditions } from '../../validation/conditions.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { checkPolicySpec, paramKindText } from './policy-rules.ts';
import { defaultMatchResources } from './rules.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const maxAuditAnnotations = 20;

export type ValidatingAdmissionPolicy = t.ValidatingAdmissionPolicy;
export const ValidatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  allowUnconditionalUpdate: false,
  applyDefaults(policy) {
    policy.spec ??= {};
    policy.spec.failurePolicy ??= 'Fail';
    defaultMatchResources(policy.spec.matchConstraints);
  },
  ...countedWithStatus,
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    if (!spec) return errors;
    checkPolicySpec(errors, spec);
    const { validations = [], auditAnnotations = [] } = spec;
    if (validations.length + auditAnnotations.length === 0) {
      const detail = 'validations or auditAnnotations must contain at least one item';
      errors.push(required('spec.validations', detail), required('spec.auditAnnotations', detail));
    }
    validations.forEach((validation, i) => {
      checkValidation(errors, `spec.validations[${i}]`, validation);
    });
    checkAuditAnnotations(errors, metadata.name, auditAnnotations);
    return errors;
  },
  validateStatusUpdate({ status = {} }) {
    const errors: FieldError[] = [];
    status.typeChecking?.expressionWarnings?.forEach(({ fieldRef, warning }, i) => {
      const at = `status.typeChecking.expressionWarnings[${i}]`;
      if (!warning) errors.push(required(`${at}.warning`));
      if (!fieldRef) errors.push(required(`${at}.fieldRef`));
    });
    checkConditions(errors, 'status.conditions', status.conditions);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Validations', type: 'integer', cell: ({ spec }) => spec?.validations?.length ?? 0 },
    { name: 'ParamKind', type: 'string', cell: ({ spec }) => paramKindText(spec?.paramKind) },
    ageColumn,
  ],
});

function checkValidation(errors: FieldError[], at: string, validation: t.Validation): void {
  const { expression = '', message, messageExpression, reason } = validation;
  if (!expression.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
  if (messageExpression !== undefined && messageExpression.trim() === '') {
    errors.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  }
  if (message !== undefined && message.trim() === '') {
    errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (message?.includes('\n')) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'));
  else if (!message && expression.trim().includes('\n')) {
    errors.push(required(`${at}.message`, 'message must be specified if expression contains line breaks'));
  }
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, reasons));
}

/** Keys are written down together with the policy's name. */
function checkAuditAnnotations(errors: FieldError[], policy: string, annotations: readonly t.AuditAnnotation[]): void {
  const field = 'spec.auditAnnotations';
  if (annotations.length > maxAuditAnnotations) errors.push(tooMany(field, annotations.length, maxAuditAnnotations));
  const keys = new Set<string>();
  annotations.forEach(({ key, valueExpression }, i) => {
    checkGiven(errors, `${field}[${i}].key`, `${policy}/${key ?? ''}`, qualifiedName);
    if (keys.has(key)) errors.push(duplicate(`${field}[${i}].key`, key));
    keys.add(key);
    if (!valueExpression?.trim()) {
      errors.push(required(`${field}[${i}].valueExpression`, 'valueExpression is not specified'));
    }
  });
}
