import type { Credentials } from '../auth/authenticator.ts';
import type { Attributes, Authorizer } from '../auth/authorizer.ts';
import { forbiddenRequest } from '../auth/forbidden.ts';
import { impersonate } from '../auth/impersonation.ts';
import { anonymous, type UserInfo } from '../auth/user.ts';
import type { AuthMetrics } from './auth-metrics.ts';
import { type Answer, type Exchange, type Filter, header } from './exchange.ts';
import { fieldTermsOf } from './request-info.ts';

/** Who makes a request; throws StatusError 401 for bad credentials. */
export type Authenticate = (credentials: Credentials) => Promise<UserInfo> | UserInfo;

/** Says who makes the request; public paths are for everybody. Throws or rejects with StatusError 401. */
export function authenticationFilter(
  authenticate: Authenticate,
  isPublic: (path: string) => boolean,
  { authenticated, nowMs }: AuthMetrics,
): Filter {
  return (exchange, next) => {
    const startedAtMs = nowMs();
    const proceed = (user: UserInfo): Promise<Answer> | Answer => {
      authenticated.success.add(startedAtMs);
      exchange.user = user;
      return next(exchange);
    };
    const refuse = (error: unknown): never => {
      authenticated.error.add(startedAtMs);
      throw error;
    };
    if (isPublic(exchange.path)) return proceed(anonymous);
    let user: Promise<UserInfo> | UserInfo;
    try {
      user = authenticate(credentialsOf(exchange));
    } catch (error) {
      return refuse(error);
    }
    return user instanceof Promise ? user.then(proceed, refuse) : proceed(user);
  };
}

/** Has the request go on as whom it wants to act as. Throws StatusError 403, or 400 for headers that name nobody. */
export function impersonationFilter(authorizer: Authorizer): Filter {
  return (exchange, next) => {
    exchange.user = impersonate(credentialsOf(exchange), attributesOf(exchange), authorizer);
    return next(exchange);
  };
}

/** Lets the request go on when its user may do what it asks for. Throws StatusError 403. */
export function authorizationFilter(
  authorizer: Authorizer,
  isPublic: (path: string) => boolean,
  { authorized, nowMs }: AuthMetrics,
): Filter {
  const counting: Authorizer = {
    authorize(attributes) {
      const startedAtMs = nowMs();
      const decision = authorizer.authorize(attributes);
      authorized[decision.verdict].add(startedAtMs);
      return decision;
    },
  };
  return (exchange, next) => {
    if (!isPublic(exchange.path)) authorize(counting, attributesOf(exchange));
    return next(exchange);
  };
}

/** Throws StatusError 403 unless who wants to update an object that does not exist may create it. */
export function authorizeCreate(authorizer: Authorizer, exchange: Exchange): void {
  authorize(authorizer, { ...attributesOf(exchange), verb: 'create' });
}

/** Throws StatusError 403 unless somebody allows it. */
export function authorize(authorizer: Authorizer, attributes: Attributes): void {
  const { verdict, reason } = authorizer.authorize(attributes);
  if (verdict !== 'allow') throw forbiddenRequest(attributes, reason);
}

function credentialsOf(exchange: Exchange): Credentials {
  return {
    authorization: bearerOf(exchange),
    clientCertificate: exchange.clientCertificate,
    headers: exchange.headers,
  };
}

const tokenProtocolPrefix = 'base64url.bearer.authorization.k8s.io.';

/** Browsers cannot set headers on WebSockets: there the token is one of the offered sub-protocols. */
function bearerOf(exchange: Exchange): string | undefined {
  const authorization = header(exchange, 'authorization');
  if (authorization !== undefined || !exchange.upgrade) return authorization;
  const offered = (header(exchange, 'sec-websocket-protocol') ?? '').split(',').map((p) => p.trim());
  const protocol = offered.find((p) => p.startsWith(tokenProtocolPrefix));
  return protocol && `Bearer ${Buffer.from(protocol.slice(tokenProtocolPrefix.length), 'base64url').toString()}`;
}

function attributesOf(exchange: Exchange): Attributes {
  const { info, user, path, query } = exchange;
  if (!info.isResource) return { user, verb: info.verb, path };
  const fieldSelector = fieldTermsOf(query);
  return {
    user,
    verb: info.verb,
    path,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    ...(info.namespace ? { namespace: info.namespace } : {}),
    ...(info.name ? { name: info.name } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
  };
}
