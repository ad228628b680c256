import type { FieldError } from '../../api/field-error.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  NonResourceAttributes,
  ObjectMeta,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SubjectAccessReview,
} from '../../api/generated/types.ts';
import { forbidden, invalid, required } from '../../api/validation/errors.ts';
import { labelValue, qualifiedName } from '../../api/validation/names.ts';

/** What access reviews may say (kubernetes: pkg/apis/authorization/validation/validation.go). */

export function validateSubjectAccessReview({ spec, metadata }: SubjectAccessReview): FieldError[] {
  return [...subjectProblems(spec), ...metadataProblems(metadata, 'must be empty')];
}

/** What is wrong with a SelfSubjectAccessReview; upstream: pkg/apis/authorization/validation. */
export function validateSelfSubjectAccessReview({ spec, metadata }: SelfSubjectAccessReview): FieldError[] {
  return [...questionProblems(spec), ...metadataProblems(metadata, 'must be empty')];
}

/** What is wrong with a LocalSubjectAccessReview: as above, and it asks about its own namespace only. */
export function validateLocalSubjectAccessReview({ spec, metadata }: LocalSubjectAccessReview): FieldError[] {
  const { namespace, ...rest } = metadata ?? {};
  const errors = [...subjectProblems(spec), ...metadataProblems(rest, 'must be empty except for namespace')];
  const asked = spec.resourceAttributes;
  if (asked && (asked.namespace ?? '') !== (namespace ?? ''))
    errors.push(invalid('spec.resourceAttributes.namespace', asked.namespace ?? '', 'must match metadata.namespace'));
  if (spec.nonResourceAttributes)
    errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'));
  return errors;
}

interface Question {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

function subjectProblems(spec: Question & { user?: string; groups?: string[] }): FieldError[] {
  const [asking, selectors] = [oneQuestion(spec), selectorProblems(spec)];
  if (spec.user || spec.groups?.length) return [...asking, ...selectors];
  return [...asking, invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'), ...selectors];
}

const questionProblems = (spec: Question): FieldError[] => [...oneQuestion(spec), ...selectorProblems(spec)];

function oneQuestion({ resourceAttributes, nonResourceAttributes }: Question): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalid('spec.nonResourceAttributes', nonResourceAttributes, why)];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalid('spec.resourceAttributes', undefined, why)];
}

function metadataProblems(metadata: Partial<ObjectMeta> | undefined, why: string): FieldError[] {
  const { managedFields: _managedFields, ...given } = metadata ?? {};
  return Object.keys(given).length > 0 ? [invalid('metadata', given, why)] : [];
}

function selectorProblems({ resourceAttributes: asked }: Question): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.resourceAttributes';
  checkForm(errors, `${at}.fieldSelector`, asked?.fieldSelector);
  for (const [i, { key }] of (asked?.fieldSelector?.requirements ?? []).entries())
    if (!key) errors.push(required(`${at}.fieldSelector.requirements[${i}].key`, 'must be specified'));
  checkForm(errors, `${at}.labelSelector`, asked?.labelSelector);
  for (const [i, { key, values }] of (asked?.labelSelector?.requirements ?? []).entries()) {
    const field = `${at}.labelSelector.requirements[${i}]`;
    for (const why of qualifiedName(key)) errors.push(invalid(`${field}.key`, key, why));
    for (const [j, value] of (values ?? []).entries())
      for (const why of labelValue(value)) errors.push(invalid(`${field}.values[${j}]`, value, why));
  }
  return errors;
}

/** Operators nobody here knows are allowed: newer clients may ask with them, and what is not understood limits nothing. */
function checkForm(
  errors: FieldError[],
  field: string,
  selector: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
): void {
  if (!selector) return;
  const { rawSelector, requirements = [] } = selector;
  if (rawSelector && requirements.length > 0)
    errors.push(invalid(`${field}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'));
  if (!rawSelector && requirements.length === 0)
    errors.push(required(`${field}.requirements`, `when ${field} is specified, requirements or rawSelector is required`));
  for (const [i, { operator, values }] of requirements.entries()) {
    const at = `${field}.requirements[${i}].values`;
    if ((operator === 'In' || operator === 'NotIn') && !values?.length)
      errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values?.length)
      errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
}
