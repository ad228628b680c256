import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';

/** A question: it is answered, never stored. */
export type SelfSubjectRulesReview = t.SelfSubjectRulesReview;
export const SelfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  scope: 'Cluster',
  verbs: ['create'],
});
