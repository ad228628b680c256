import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { invalid } from '../../validation/errors.ts';
import { checkSubject } from './access-review.ts';

/** A question: it is answered, never stored. */
export type LocalSubjectAccessReview = t.LocalSubjectAccessReview;
export const LocalSubjectAccessReview = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  scope: 'Namespaced',
  verbs: ['create'],
  validate({ metadata, spec = {} }) {
    const errors: FieldError[] = [];
    checkSubject(errors, spec);
    const namespace = spec.resourceAttributes?.namespace ?? '';
    if (spec.resourceAttributes && namespace !== (metadata?.namespace ?? '')) {
      errors.push(invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'));
    }
    if (spec.nonResourceAttributes) {
      const detail = 'disallowed on this kind of request';
      errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, detail));
    }
    return errors;
  },
});
