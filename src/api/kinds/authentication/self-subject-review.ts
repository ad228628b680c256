import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';

/** A question: it is answered, never stored. */
export type SelfSubjectReview = t.SelfSubjectReview;
export const SelfSubjectReview = defineKind<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  scope: 'Cluster',
  verbs: ['create'],
});
