import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { invalid } from '../../validation/errors.ts';

type Attributes = Pick<t.SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>;

/** A question is about a resource or about a path. kubernetes: pkg/apis/authorization/validation/validation.go. */
export function checkAttributes(errors: FieldError[], spec: Attributes): void {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalid('spec.nonResourceAttributes', nonResourceAttributes, detail));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalid('spec.resourceAttributes', null, detail));
  }
}

/** And it is about somebody. */
export function checkSubject(errors: FieldError[], spec: t.SubjectAccessReviewSpec): void {
  checkAttributes(errors, spec);
  if (spec.user || spec.groups?.length) return;
  errors.push(invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
}
