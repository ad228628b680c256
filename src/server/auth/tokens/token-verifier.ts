import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, type JWTPayload } from 'jose';
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
import { keyId } from './key-id.ts';

/** Tokens whose signature was found good, so that it is not checked for every request. Bound to the objects they name every time. */
const maxCachedTokens = 1024;
/** The leeway of upstream's validator: by how much times may be missed, and how long an object that is being deleted vouches for its tokens. */
const leewayMs = 60_000;
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
  /** Told of every use of a token in a Secret that was good, or would have been. */
  onSecretUse?: (secret: Secret) => void;
}): TokenVerifier {
  const publicKeys = deps.keys.map((key) => (key.type === 'private' ? createPublicKey(key) : key));
  const cache = new Map<string, JWTPayload>();
  const signedClaims = async (token: string): Promise<JWTPayload | undefined> => {
    const digest = createHash('sha256').update(token).digest('base64');
    const known = cache.get(digest);
    if (known) return known;
    const claims = await checkSignature(token, publicKeys);
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
      const carried = [claims.aud ?? []].flat();
      const meantFor = carried.length > 0 ? carried : deps.apiAudiences;
      const shared = audiences.filter((audience) => meantFor.includes(audience));
      if (shared.length === 0) throw wrongAudiences(meantFor, audiences);
      const user =
        claims.iss === legacyIssuer
          ? legacyUser(claims as unknown as Partial<LegacyClaims>, { token, ...deps })
          : boundUser(claims as unknown as Partial<ServiceAccountClaims>, deps);
      return { user, audiences: shared };
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

/** The claims under a good signature; undefined for what is no token at all. Throws an Error for a signature of others. */
async function checkSignature(token: string, keys: readonly KeyObject[]): Promise<JWTPayload | undefined> {
  let kid: string | undefined;
  try {
    kid = decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
  const named = await Promise.all(keys.map(async (key) => ({ key, id: await keyId(key) })));
  const possible = named.filter(({ id }) => kid === undefined || kid === id);
  if (possible.length === 0) throw new Error('invalid signature, no keys found');
  for (const { key } of possible) {
    try {
      const { payload } = await compactVerify(token, key, { algorithms: ['ES256', 'RS256'] });
      return JSON.parse(Buffer.from(payload).toString('utf8')) as JWTPayload;
    } catch {
      // Perhaps another key made it.
    }
  }
  throw new Error('invalid signature');
}

interface Context {
  readonly reader: Reader;
  readonly clock: Clock;
}

/** Rules and texts: upstream's pkg/serviceaccount/claims.go. */
function boundUser(claims: Partial<ServiceAccountClaims>, context: Context): UserInfo {
  checkTimes(claims, context.clock.now());
  const { namespace = '', serviceaccount = { name: '', uid: '' }, pod, secret, node } = claims['kubernetes.io'] ?? {};
  requireAccount(namespace, serviceaccount, context);
  const bound = (what: string, object: KubeObject | undefined, claim: ObjectClaim): void => {
    if (!object || (object.metadata.uid === claim.uid && isGone(object, context.clock)))
      throw new Error('service account token has been invalidated');
    if (object.metadata.uid !== claim.uid)
      throw new Error(`${what} UID (${object.metadata.uid}) does not match service account ${what} ref claim (${claim.uid})`);
  };
  if (secret) bound('secret', context.reader.get(Secret, { namespace, name: secret.name }), secret);
  if (pod) bound('pod', context.reader.get(Pod, { namespace, name: pod.name }), pod);
  if (node && !pod) bound('node', context.reader.get(Node, { name: node.name }), node);
  const extra: Record<string, string[]> = {};
  if (claims.jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.jti}`];
  const describe = (what: string, claim: ObjectClaim): void => {
    extra[`authentication.kubernetes.io/${what}-name`] = [claim.name];
    if (claim.uid) extra[`authentication.kubernetes.io/${what}-uid`] = [claim.uid];
  };
  if (pod) describe('pod', pod);
  if (node) describe('node', node);
  return accountUser(namespace, serviceaccount, extra);
}

/** Clocks of those who make and those who judge tokens may differ by a minute. */
function checkTimes({ exp, nbf, iat }: Partial<ServiceAccountClaims>, nowMs: number): void {
  const isLater = (seconds: number | undefined): boolean => seconds !== undefined && seconds * 1000 > nowMs + leewayMs;
  if (isLater(nbf)) throw new Error('service account token is not valid yet');
  if (exp !== undefined && exp * 1000 < nowMs - leewayMs) throw new Error('service account token has expired');
  if (isLater(iat)) throw new Error('service account token is issued in the future');
}

/** Good while the Secret that holds it does. Rules and texts: upstream's pkg/serviceaccount/legacy.go. */
function legacyUser(
  claims: Partial<LegacyClaims>,
  context: Context & { token: string; onSecretUse?: (secret: Secret) => void },
): UserInfo {
  const { token, reader } = context;
  const claim = (name: keyof LegacyClaims, what: string): string => {
    const value = claims[name];
    if (!value) throw new Error(`${what} claim is missing`);
    return value;
  };
  const subject = claim('sub', 'sub');
  const namespace = claim('kubernetes.io/serviceaccount/namespace', 'namespace');
  const secretName = claim('kubernetes.io/serviceaccount/secret.name', 'secretName');
  const name = claim('kubernetes.io/serviceaccount/service-account.name', 'serviceAccountName');
  const uid = claim('kubernetes.io/serviceaccount/service-account.uid', 'serviceAccountUID');
  if (subject !== serviceAccountUserName(namespace, name)) throw new Error('sub claim is invalid');
  const secret = reader.get(Secret, { namespace, name: secretName });
  if (!secret || secret.metadata.deletionTimestamp !== undefined) throw new Error('Token has been invalidated');
  const stored = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8');
  if (!sameSecret(stored, token)) throw new Error("Token does not match server's copy");
  const account = accountOf(namespace, name, reader);
  if (account.metadata.deletionTimestamp !== undefined) throw new Error(`ServiceAccount ${namespace}/${name} has been deleted`);
  if (account.metadata.uid !== uid) throw new Error(`ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`);
  context.onSecretUse?.(secret);
  if (secret.metadata.labels?.[invalidSinceLabel]) {
    const where = `secret ${namespace}/${secretName} for service account ${namespace}/${name}`;
    throw new Error(`the token in ${where} has been marked invalid: remove its label ${invalidSinceLabel} to allow it again`);
  }
  return accountUser(namespace, { name, uid }, {});
}

function wrongAudiences(given: readonly string[], wanted: readonly string[]): Error {
  const list = (audiences: readonly string[]): string => `[${audiences.map((a) => JSON.stringify(a)).join(' ')}]`;
  return new Error(`token audiences ${list(given)} is invalid for the target audiences ${list(wanted)}`);
}

function accountOf(namespace: string, name: string, reader: Reader): KubeObject {
  if (!name) throw new Error('resource name may not be empty');
  const account = reader.get(ServiceAccount, { namespace, name });
  if (!account) throw new Error(`serviceaccounts "${name}" not found`);
  return account;
}

function requireAccount(namespace: string, claim: ObjectClaim, { reader, clock }: Context): void {
  const account = accountOf(namespace, claim.name, reader);
  if (account.metadata.uid !== claim.uid)
    throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${claim.uid})`);
  if (isGone(account, clock)) throw new Error(`service account ${namespace}/${claim.name} has been deleted`);
}

function isGone(object: KubeObject, clock: Clock): boolean {
  const { deletionTimestamp } = object.metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < clock.now() - leewayMs;
}

const accountUser = (namespace: string, account: ObjectClaim, extra: Record<string, string[]>): UserInfo => ({
  name: serviceAccountUserName(namespace, account.name),
  uid: account.uid,
  groups: serviceAccountGroups(namespace),
  extra,
});
