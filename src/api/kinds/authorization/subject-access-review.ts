import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkSubject } from './access-review.ts';

/** A question: it is answered, never stored. */
export type SubjectAccessReview = t.SubjectAccessReview;
export const SubjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  scope: 'Cluster',
  verbs: ['create'],
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkSubject(errors, spec);
    return errors;
  },
});
