import type { FieldError } from '../../api/field-error.ts';
import type {
  LocalSubjectAccessReview,
  NonResourceAttributes,
  PolicyRule,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
  UserInfo as UserInfoType,
} from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta.ts';
import { badRequest, invalid } from '../../api/status-error.ts';
import type { Authentication } from './authentication.ts';
import type { Authorization } from './authorization.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import type { UserInfo } from './user.ts';

export interface ReviewContext {
  readonly user: UserInfo;
  /** Of the URL, for LocalSubjectAccessReview. */
  readonly namespace?: string;
}

/** Answers a create-only review: the object as sent, with its status. Throws 400 and 422 for reviews that ask nothing. */
export type ReviewHandler = (context: ReviewContext, object: KubeObject) => Promise<KubeObject> | KubeObject;

/** By `<group>/<plural>`: nothing is stored, the answer is 201 with the object. */
export function createReviewHandlers(deps: {
  authentication: Authentication;
  authorization: Authorization;
}): ReadonlyMap<string, ReviewHandler> {
  const { authentication, authorization } = deps;
  return new Map<string, ReviewHandler>([
    ['authorization.k8s.io/subjectaccessreviews', (_context, o) => subjectAccessReview(o as SubjectAccessReview, authorization)],
    [
      'authorization.k8s.io/localsubjectaccessreviews',
      (context, o) => localSubjectAccessReview(context, o as LocalSubjectAccessReview, authorization),
    ],
    [
      'authorization.k8s.io/selfsubjectaccessreviews',
      (context, o) => selfSubjectAccessReview(context, o as SelfSubjectAccessReview, authorization),
    ],
    [
      'authorization.k8s.io/selfsubjectrulesreviews',
      (context, o) => selfSubjectRulesReview(context, o as SelfSubjectRulesReview, authorization),
    ],
    ['authentication.k8s.io/tokenreviews', (_context, o) => tokenReview(o as TokenReview, authentication)],
    ['authentication.k8s.io/selfsubjectreviews', (context, o) => selfSubjectReview(context, o as SelfSubjectReview)],
  ]);
}

interface Question {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: NonResourceAttributes;
}

function subjectAccessReview(review: SubjectAccessReview, authorizer: Authorizer): SubjectAccessReview {
  const { spec } = review;
  const problems = questionProblems(spec);
  if (!spec.user && !spec.groups?.length)
    problems.push(required('spec.user', 'Required value: at least one of user or group must be specified'));
  if (problems.length > 0)
    throw invalid({ group: 'authorization.k8s.io', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview' }, '', problems);
  return { ...review, status: answer(spec, subjectOf(spec), authorizer) };
}

function localSubjectAccessReview(
  context: ReviewContext,
  review: LocalSubjectAccessReview,
  authorizer: Authorizer,
): LocalSubjectAccessReview {
  const asked = review.spec.resourceAttributes?.namespace;
  if (asked !== context.namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${context.namespace ?? ''}`);
  return { ...review, status: answer(review.spec, subjectOf(review.spec), authorizer) };
}

function selfSubjectAccessReview(
  context: ReviewContext,
  review: SelfSubjectAccessReview,
  authorizer: Authorizer,
): SelfSubjectAccessReview {
  const problems = questionProblems(review.spec);
  if (problems.length > 0)
    throw invalid(
      { group: 'authorization.k8s.io', plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
      '',
      problems,
    );
  return { ...review, status: answer(review.spec, context.user, authorizer) };
}

const required = (field: string, message: string): FieldError => ({ reason: 'FieldValueRequired', field, message });

/** A review must ask exactly one thing. */
function questionProblems(spec: Question): FieldError[] {
  if (spec.resourceAttributes && spec.nonResourceAttributes) {
    const value = JSON.stringify(spec.nonResourceAttributes);
    const message = `Invalid value: ${value}: cannot be specified in combination with resourceAttributes`;
    return [{ reason: 'FieldValueInvalid', field: 'spec.nonResourceAttributes', message }];
  }
  if (spec.resourceAttributes || spec.nonResourceAttributes) return [];
  const message = 'Required value: exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [required('spec.resourceAttributes', message)];
}

function answer(spec: Question, user: UserInfo, authorizer: Authorizer): SubjectAccessReviewStatus {
  const { verdict, reason } = authorizer.authorize(attributesOf(spec, user));
  return { allowed: verdict === 'allow', ...(verdict === 'deny' ? { denied: true } : {}), ...(reason ? { reason } : {}) };
}

function attributesOf(spec: Question, user: UserInfo): Attributes {
  const asked = spec.resourceAttributes;
  if (!asked) return { user, verb: spec.nonResourceAttributes?.verb ?? '', path: spec.nonResourceAttributes?.path ?? '' };
  return {
    user,
    verb: asked.verb ?? '',
    path: '',
    resource: asked.resource ?? '',
    group: asked.group ?? '',
    version: asked.version ?? '',
    subresource: asked.subresource ?? '',
    ...(asked.namespace ? { namespace: asked.namespace } : {}),
    ...(asked.name ? { name: asked.name } : {}),
    ...(asked.fieldSelector?.rawSelector ? { fieldSelector: asked.fieldSelector.rawSelector } : {}),
  };
}

function subjectOf(spec: { user?: string; groups?: string[]; uid?: string; extra?: Record<string, string[]> }): UserInfo {
  return { name: spec.user ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {}, ...(spec.uid ? { uid: spec.uid } : {}) };
}

function selfSubjectRulesReview(
  context: ReviewContext,
  review: SelfSubjectRulesReview,
  authorization: Authorization,
): SelfSubjectRulesReview {
  const namespace = review.spec.namespace;
  if (!namespace) throw badRequest('no namespace on request');
  const { rules, problems } = authorization.rulesFor(context.user, namespace);
  const forResources = (r: PolicyRule) => ({
    verbs: r.verbs,
    apiGroups: r.apiGroups ?? [],
    resources: r.resources ?? [],
    ...(r.resourceNames?.length ? { resourceNames: r.resourceNames } : {}),
  });
  return {
    ...review,
    status: {
      resourceRules: rules.filter((r) => r.resources?.length).map(forResources),
      nonResourceRules: rules
        .filter((r) => r.nonResourceURLs?.length)
        .map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs ?? [] })),
      incomplete: problems.length > 0,
      ...(problems.length > 0 ? { evaluationError: problems.join(', ') } : {}),
    },
  };
}

async function tokenReview(review: TokenReview, authentication: Authentication): Promise<TokenReview> {
  if (!review.spec.token) throw badRequest('token is required for TokenReview in authentication');
  const wanted = review.spec.audiences;
  const { user, audiences, error } = await authentication.authenticateToken(
    review.spec.token,
    wanted?.length ? wanted : undefined,
  );
  if (!user) return { ...review, status: error ? { user: {}, error } : { user: {} } };
  return { ...review, status: { authenticated: true, user: wireUser(user), audiences: [...(audiences ?? [])] } };
}

function selfSubjectReview({ user }: ReviewContext, review: SelfSubjectReview): SelfSubjectReview {
  return { ...review, status: { userInfo: wireUser(user) } };
}

function wireUser(user: UserInfo): UserInfoType {
  const extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
  return {
    username: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: [...user.groups],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}
