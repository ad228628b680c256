import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import type { BoundObjectReference, ServiceAccount as ServiceAccountType, TokenRequest } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Secret } from '../../../api/kinds/core/secret.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { badRequest, conflict, invalid, notFound } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Reader } from '../../registry/reader.ts';
import { serviceAccountUserName } from '../user-names.ts';
import { type LegacyClaims, legacyIssuer, type ObjectClaim, type ServiceAccountClaims } from './claims.ts';
import { keyId } from './key-id.ts';

const defaultExpirationSeconds = 3600;
const minExpirationSeconds = 600;
const maxExpirationSeconds = 2 ** 32;
/** Pods ask for exactly this much; their tokens then really live a year, and `warnafter` says when they should have been renewed. */
const podTokenSeconds = 3607;
const extendedExpirationSeconds = 365 * 24 * 60 * 60;

const tokenRequestName = { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' };

export interface TokenIssuer {
  /**
   * Answers `POST serviceaccounts/<name>/token`: the completed TokenRequest with its status. Rejects with StatusErrors 400, 404, 409, 422
   * as upstream's pkg/registry/core/serviceaccount/storage/token.go does.
   */
  issue(options: { namespace: string; serviceAccount: string; request: Partial<TokenRequest> }): Promise<TokenRequest>;
  /** The token for a Secret of type kubernetes.io/service-account-token. */
  issueForSecret(account: ServiceAccountType, secretName: string): Promise<string>;
  /** What `GET /.well-known/openid-configuration` answers. */
  discovery(): { readonly [field: string]: unknown };
  /** What `GET /openid/v1/jwks` answers: every key tokens may be signed with. */
  jwks(): Promise<{ keys: unknown[] }>;
}

export interface TokenIssuerDeps {
  /** ECDSA P-256; further keys are only published, for tokens signed before a rotation. */
  readonly keys: readonly [KeyObject, ...KeyObject[]];
  /** The `iss` of tokens: an https URL. */
  readonly issuer: string;
  /** Who tokens are for when the request does not say. */
  readonly audiences: readonly string[];
  /** Where `/openid/v1/jwks` can be fetched, e.g. `https://192.168.1.2:6443/openid/v1/jwks`. */
  readonly jwksUri: () => string;
  readonly reader: Reader;
  readonly clock: Clock;
}

/** Tokens signed with the first of the keys. `issue` rejects with StatusError: 404 for what does not exist, 409 for another uid, 400 and 422. */
export function createTokenIssuer(deps: TokenIssuerDeps): TokenIssuer {
  const [key] = deps.keys;
  const sign = async (claims: JWTPayload): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: await keyId(key) }).sign(key);
  return {
    async issue({ namespace, serviceAccount: name, request }) {
      const account = deps.reader.get(ServiceAccount, { namespace, name });
      if (!account) throw notFound(ServiceAccount, name);
      const completed = complete(request, account, deps);
      const claims = claimsFor(completed, account, deps);
      return {
        ...completed,
        status: {
          token: await sign(claims as unknown as JWTPayload),
          expirationTimestamp: timestamp(deps.clock.now() + completed.spec.expirationSeconds * 1000),
        },
      };
    },
    issueForSecret(account, secretName) {
      const namespace = account.metadata.namespace ?? '';
      const claims: LegacyClaims = {
        iss: legacyIssuer,
        sub: serviceAccountUserName(namespace, account.metadata.name),
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secretName,
        'kubernetes.io/serviceaccount/service-account.name': account.metadata.name,
        'kubernetes.io/serviceaccount/service-account.uid': account.metadata.uid,
      };
      return sign({ ...claims });
    },
    discovery: () => ({
      issuer: deps.issuer,
      jwks_uri: deps.jwksUri(),
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
    async jwks() {
      return { keys: await Promise.all(deps.keys.map(publicJwk)) };
    },
  };
}

async function publicJwk(key: KeyObject): Promise<unknown> {
  return { use: 'sig', ...(await exportJWK(createPublicKey(key))), kid: await keyId(key), alg: 'ES256' };
}

type CompleteRequest = TokenRequest & { spec: { audiences: string[]; expirationSeconds: number } };

function complete(request: Partial<TokenRequest>, account: ServiceAccountType, deps: TokenIssuerDeps): CompleteRequest {
  const { name, namespace, uid } = account.metadata;
  const given = request.metadata;
  const spec = {
    ...request.spec,
    audiences: request.spec?.audiences?.length ? request.spec.audiences : [...deps.audiences],
    expirationSeconds: request.spec?.expirationSeconds ?? defaultExpirationSeconds,
  };
  const wrong = (field: string, value: unknown, why: string) =>
    invalid(tokenRequestName, field === 'spec.expirationSeconds' ? '' : name, [
      { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` },
    ]);
  if (given?.name && given.name !== name)
    throw wrong('metadata.name', given.name, 'must match the service account name if specified');
  if (given?.namespace && given.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (given?.uid && given.uid !== uid) {
    const why = `the UID in the token request (${given.uid}) does not match the UID of the service account (${uid})`;
    throw conflict({ ...tokenRequestName, plural: 'TokenRequest' }, name, why);
  }
  if (spec.expirationSeconds < minExpirationSeconds)
    throw wrong('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration less than 10 minutes');
  if (spec.expirationSeconds > maxExpirationSeconds)
    throw wrong('spec.expirationSeconds', spec.expirationSeconds, 'may not specify a duration larger than 2^32 seconds');
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      ...given,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      creationTimestamp: timestamp(deps.clock.now()),
    } as TokenRequest['metadata'],
    spec,
    status: {},
  };
}

function claimsFor(request: CompleteRequest, account: ServiceAccountType, deps: TokenIssuerDeps): ServiceAccountClaims {
  const namespace = account.metadata.namespace ?? '';
  const nowSeconds = Math.floor(deps.clock.now() / 1000);
  const { audiences, expirationSeconds, boundObjectRef } = request.spec;
  const bound = boundObjectRef ? boundClaims(boundObjectRef, account, deps.reader) : {};
  const extended =
    bound.pod !== undefined && expirationSeconds === podTokenSeconds && audiences.every((a) => deps.audiences.includes(a));
  return {
    iss: deps.issuer,
    sub: serviceAccountUserName(namespace, account.metadata.name),
    aud: audiences,
    exp: nowSeconds + (extended ? extendedExpirationSeconds : expirationSeconds),
    iat: nowSeconds,
    nbf: nowSeconds,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      serviceaccount: claimOf(account),
      ...bound,
      ...(extended ? { warnafter: nowSeconds + expirationSeconds } : {}),
    },
  };
}

const claimOf = (object: KubeObject): ObjectClaim => ({ name: object.metadata.name, uid: object.metadata.uid });

function boundClaims(
  ref: BoundObjectReference,
  account: ServiceAccountType,
  reader: Reader,
): { pod?: ObjectClaim; secret?: ObjectClaim; node?: ObjectClaim } {
  const namespace = account.metadata.namespace ?? '';
  const name = ref.name ?? '';
  const find = <T extends KubeObject>(kind: Kind<T>, key: { namespace?: string; name: string }): T => {
    const object = reader.get(kind, key);
    if (!object) throw notFound(kind, name);
    if (ref.uid && object.metadata.uid !== ref.uid) {
      const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ ...kind, plural: kind.kind }, name, why);
    }
    return object;
  };
  const { group, version } = groupVersionOf(ref.apiVersion ?? '');
  const kind = group === '' && ['Pod', 'Secret', 'Node'].includes(ref.kind ?? '') ? ref.kind : undefined;
  if (kind && !name) throw badRequest('Name parameter required.');
  if (kind === 'Secret') return { secret: claimOf(find(Secret, { namespace, name })) };
  if (kind === 'Node') return { node: claimOf(find(Node, { name })) };
  if (kind !== 'Pod') throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${ref.kind ?? ''}`);
  const pod = find(Pod, { namespace, name });
  if (pod.spec?.serviceAccountName !== account.metadata.name)
    throw badRequest(
      `cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`,
    );
  const nodeName = pod.spec.nodeName;
  if (!nodeName) return { pod: claimOf(pod) };
  return { pod: claimOf(pod), node: { name: nodeName, uid: reader.get(Node, { name: nodeName })?.metadata.uid ?? '' } };
}

/** Of an apiVersion; both empty when it cannot be one. */
function groupVersionOf(apiVersion: string): { group: string; version: string } {
  const [first = '', second, ...rest] = apiVersion.split('/');
  if (rest.length > 0) return { group: '', version: '' };
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}

/** RFC 3339, whole seconds. */
