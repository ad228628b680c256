import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkAttributes } from './access-review.ts';

/** A question: it is answered, never stored. */
export type SelfSubjectAccessReview = t.SelfSubjectAccessReview;
export const SelfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  scope: 'Cluster',
  verbs: ['create'],
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkAttributes(errors, spec);
    return errors;
  },
});
