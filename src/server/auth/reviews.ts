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
import { timestamp } from '../../api/timestamp.ts';
import type { Authentication } from './authentication.ts';
import type { Authorization } from './authorization.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { joinedProblems } from './rbac/rbac-authorizer.ts';
import {
  validateLocalSubjectAccessReview,
  validateSelfSubjectAccessReview,
  validateSubjectAccessReview,
} from './review-rules.ts';
import { type AskedSelectors, askedSelectors } from './review-selectors.ts';
import type { UserInfo } from './user.ts';

export interface ReviewContext {
  readonly user: UserInfo;
  readonly nowMs: number;
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

const authorizationGroup = 'authorization.k8s.io';

function subjectAccessReview(review: SubjectAccessReview, authorizer: Authorizer): SubjectAccessReview {
  refuse('SubjectAccessReview', validateSubjectAccessReview(review));
  return { ...review, status: answer(review.spec, subjectOf(review.spec), authorizer) };
}

function localSubjectAccessReview(
  context: ReviewContext,
  review: LocalSubjectAccessReview,
  authorizer: Authorizer,
): LocalSubjectAccessReview {
  const { namespace = '' } = context;
  if ((review.metadata?.namespace ?? namespace) !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const placed = { ...review, metadata: { ...review.metadata, namespace } };
  refuse('LocalSubjectAccessReview', validateLocalSubjectAccessReview(placed));
  return { ...placed, status: answer(review.spec, subjectOf(review.spec), authorizer) };
}

function selfSubjectAccessReview(
  context: ReviewContext,
  review: SelfSubjectAccessReview,
  authorizer: Authorizer,
): SelfSubjectAccessReview {
  refuse('SelfSubjectAccessReview', validateSelfSubjectAccessReview(review));
  return { ...review, status: answer(review.spec, context.user, authorizer) };
}

function refuse(kind: string, problems: readonly FieldError[]): void {
  if (problems.length > 0) throw invalid({ group: authorizationGroup, plural: `${kind.toLowerCase()}s`, kind }, '', problems);
}

function answer(spec: Question, user: UserInfo, authorizer: Authorizer): SubjectAccessReviewStatus {
  const selectors = askedSelectors(spec.resourceAttributes ?? {});
  const { verdict, reason } = authorizer.authorize(attributesOf(spec, user, selectors));
  return {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' ? { denied: true } : {}),
    ...(reason ? { reason } : {}),
    ...(selectors.problems.length > 0 ? { evaluationError: selectors.problems.join('; ') } : {}),
  };
}

function attributesOf(spec: Question, user: UserInfo, { fields }: AskedSelectors): Attributes {
  const asked = spec.resourceAttributes;
  if (!asked) return { user, verb: spec.nonResourceAttributes?.verb ?? '', path: spec.nonResourceAttributes?.path ?? '' };
  return {
    user,
    verb: asked.verb ?? '',
    path: '',
    resource: asked.resource ?? '',
    group: asked.group ?? '',
    version: asked.version || '*',
    subresource: asked.subresource ?? '',
    ...(asked.namespace ? { namespace: asked.namespace } : {}),
    ...(asked.name ? { name: asked.name } : {}),
    ...(fields ? { fieldSelector: fields } : {}),
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
  const { rules, problems, incomplete } = authorization.rulesFor(context.user, namespace);
  const forResources = (r: PolicyRule) => ({
    verbs: r.verbs,
    apiGroups: r.apiGroups ?? [],
    resources: r.resources ?? [],
    ...(r.resourceNames?.length ? { resourceNames: r.resourceNames } : {}),
  });
  return {
    ...review,
    // The question is not repeated: upstream answers with an object of its own.
    spec: {},
    status: {
      resourceRules: rules.filter((r) => r.resources?.length).map(forResources),
      nonResourceRules: rules
        .filter((r) => r.nonResourceURLs?.length)
        .map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs ?? [] })),
      incomplete,
      ...(problems.length > 0 ? { evaluationError: joinedProblems(problems) } : {}),
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

function selfSubjectReview({ user, nowMs }: ReviewContext, review: SelfSubjectReview): SelfSubjectReview {
  return {
    ...review,
    metadata: { ...review.metadata, creationTimestamp: timestamp(nowMs) },
    status: { userInfo: wireUser(user) },
  };
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
