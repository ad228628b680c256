import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { required } from '../../validation/errors.ts';

/** A question: it is answered, never stored. */
export type TokenReview = t.TokenReview;
export const TokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  scope: 'Cluster',
  verbs: ['create'],
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec?.token) errors.push(required('spec.token'));
    return errors;
  },
});
