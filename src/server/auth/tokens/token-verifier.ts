import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Secret } from '../../../api/kinds/core/secret.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import type { KubeObject } from '../../../api/meta.ts';
import type { Clock } from '../../../lib/clock.ts';
import { sameSecret } from '../../../pki/join-token.ts';
import type { Reader } from '../../registry/reader.ts';
import type { UserInfo } from '../user.ts';
import { serviceAccountGroups, serviceAccountUserName } from '../user-names.ts';
import { type LegacyClaims, legacyIssuer, type ObjectClaim, type ServiceAccountClaims } from './claims.ts';

/** Tokens whose signature was found good, so that it is not checked for every request. Bound to the objects they name every time. */
const maxCachedTokens = 1024;
/** How long after its deletion began an object still vouches for its tokens: the leeway of upstream's validator. */
const deletionLeewayMs = 60_000;
/** On a Secret: its token has not been used for long, and is not good any more. */
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

export interface TokenVerifier {
  /**
   * The service account behind a token meant for one of `audiences`, and the audiences both have in common. Undefined when the text is
   * no token of ours; throws an Error that says why a token of ours is not good.
   */
  verify(token: string, audiences: readonly string[]): Promise<{ user: UserInfo; audiences: readonly string[] } | undefined>;
}

/** Checks signature, times and audiences, and that everything the token is bound to is still there. */
export function createTokenVerifier(deps: {
  /** Public or private keys whose signatures are good; several while keys are rotated. */
  keys: readonly KeyObject[];
  issuers: readonly string[];
  /** The audiences of tokens that carry none (those in Secrets). */
  apiAudiences: readonly string[];
  reader: Reader;
  clock: Clock;
}): TokenVerifier {
  const publicKeys = deps.keys.map((key) => (key.type === 'private' ? createPublicKey(key) : key));
  const cache = new Map<string, JWTPayload>();
  const signedClaims = async (token: string): Promise<JWTPayload | undefined> => {
    const digest = createHash('sha256').update(token).digest('base64');
    const known = cache.get(digest);
    if (known) return known;
    const claims = await checkSignature(token, publicKeys, deps.clock);
    if (!claims) return undefined;
    if (cache.size >= maxCachedTokens) cache.delete(cache.keys().next().value!);
    cache.set(digest, claims);
    return claims;
  };
  return {
    async verify(token, audiences) {
      if (!looksOurs(token, deps.issuers)) return undefined;
      const claims = await signedClaims(token);
      if (!claims) return undefined;
      if (claims.iss === legacyIssuer) return legacyUser(claims as unknown as LegacyClaims, { token, audiences, ...deps });
      return boundUser(claims as unknown as ServiceAccountClaims, { audiences, ...deps });
    },
  };
}

/** A cheap look at the issuer before any cryptography: tokens of others are not ours to judge. */
function looksOurs(token: string, issuers: readonly string[]): boolean {
  const parts = token.split('.');
  if (parts.length !== 3) return false;
  try {
    const { iss } = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8')) as { iss?: unknown };
    return typeof iss === 'string' && (iss === legacyIssuer || issuers.includes(iss));
  } catch {
    return false;
  }
}

async function checkSignature(token: string, keys: readonly KeyObject[], clock: Clock): Promise<JWTPayload | undefined> {
  for (const key of keys) {
    try {
      const currentDate = new Date(clock.now());
      return (await jwtVerify(token, key, { algorithms: ['ES256', 'RS256'], currentDate, clockTolerance: 10 })).payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Error('service account token has expired');
      if (error instanceof errors.JWTClaimValidationFailed) throw new Error('service account token is not valid yet');
    }
  }
  return undefined;
}

interface Context {
  readonly audiences: readonly string[];
  readonly reader: Reader;
  readonly clock: Clock;
}

function boundUser(claims: ServiceAccountClaims, context: Context): { user: UserInfo; audiences: readonly string[] } {
  if (!(claims.exp * 1000 > context.clock.now())) throw new Error('service account token has expired');
  const shared = context.audiences.filter((audience) => claims.aud.includes(audience));
  if (shared.length === 0) throw wrongAudiences(claims.aud, context.audiences);
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'];
  requireAccount(namespace, serviceaccount, context);
  const bound = (object: KubeObject | undefined, claim: ObjectClaim): void => {
    if (!object || object.metadata.uid !== claim.uid || isGone(object, context.clock))
      throw new Error('service account token has been invalidated');
  };
  if (pod) bound(context.reader.get(Pod, { namespace, name: pod.name }), pod);
  if (secret) bound(context.reader.get(Secret, { namespace, name: secret.name }), secret);
  if (node && !pod) bound(context.reader.get(Node, { name: node.name }), node);
  const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] };
  const describe = (what: string, claim: ObjectClaim): void => {
    extra[`authentication.kubernetes.io/${what}-name`] = [claim.name];
    if (claim.uid) extra[`authentication.kubernetes.io/${what}-uid`] = [claim.uid];
  };
  if (pod) describe('pod', pod);
  if (node) describe('node', node);
  return { user: accountUser(namespace, serviceaccount, extra), audiences: shared };
}

/** Good while the Secret that holds it does. */
function legacyUser(
  claims: LegacyClaims,
  context: Context & { token: string; apiAudiences: readonly string[] },
): { user: UserInfo; audiences: readonly string[] } {
  const shared = context.audiences.filter((audience) => context.apiAudiences.includes(audience));
  if (shared.length === 0) throw wrongAudiences(context.apiAudiences, context.audiences);
  const namespace = claims['kubernetes.io/serviceaccount/namespace'];
  const account = {
    name: claims['kubernetes.io/serviceaccount/service-account.name'],
    uid: claims['kubernetes.io/serviceaccount/service-account.uid'],
  };
  const secret = context.reader.get(Secret, { namespace, name: claims['kubernetes.io/serviceaccount/secret.name'] });
  const stored = Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString('utf8');
  if (!secret || secret.metadata.deletionTimestamp !== undefined || !sameSecret(stored, context.token))
    throw new Error('service account token has been invalidated');
  requireAccount(namespace, account, context);
  if (secret.metadata.labels?.[invalidSinceLabel]) {
    const where = `secret ${namespace}/${secret.metadata.name} for service account ${namespace}/${account.name}`;
    throw new Error(`the token in ${where} has been marked invalid: remove its label ${invalidSinceLabel} to allow it again`);
  }
  return { user: accountUser(namespace, account, {}), audiences: shared };
}

function wrongAudiences(given: readonly string[], wanted: readonly string[]): Error {
  const list = (audiences: readonly string[]): string => `[${audiences.map((a) => JSON.stringify(a)).join(' ')}]`;
  return new Error(`token audiences ${list(given)} is invalid for the target audiences ${list(wanted)}`);
}

function requireAccount(namespace: string, claim: ObjectClaim, { reader, clock }: Context): void {
  const account = reader.get(ServiceAccount, { namespace, name: claim.name });
  if (!account) throw new Error(`serviceaccounts "${claim.name}" not found`);
  if (account.metadata.uid !== claim.uid)
    throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${claim.uid})`);
  if (isGone(account, clock)) throw new Error(`service account ${namespace}/${claim.name} has been deleted`);
}

function isGone(object: KubeObject, clock: Clock): boolean {
  const { deletionTimestamp } = object.metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < clock.now() - deletionLeewayMs;
}

const accountUser = (namespace: string, account: ObjectClaim, extra: Record<string, string[]>): UserInfo => ({
  name: serviceAccountUserName(namespace, account.name),
  uid: account.uid,
  groups: serviceAccountGroups(namespace),
  extra,
});
