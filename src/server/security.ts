import { randomInt } from 'node:crypto';
import { methodNotAllowed } from '../api/status-error.ts';
import type { Client } from '../client/client.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServerPki } from '../pki/server-pki.ts';
import type { StaticTokens } from '../pki/token-files.ts';
import type { AdmissionPlugin } from './admission/admission.ts';
import { createAdmissionChain } from './admission/chain.ts';
import type { AdmissionDeps } from './admission/deps.ts';
import type { Security } from './api-server.ts';
import { type Authentication, createAuthentication } from './auth/authentication.ts';
import { type Authorization, createAuthorization } from './auth/authorization.ts';
import { createReviewHandlers } from './auth/reviews.ts';
import { createLastUsedTracker } from './auth/tokens/last-used.ts';
import { createTokenIssuer, type TokenIssuer } from './auth/tokens/token-issuer.ts';
import { createTokenVerifier } from './auth/tokens/token-verifier.ts';
import type { AnswerHeaders, FullAnswer } from './http/exchange.ts';
import type { TlsMaterial } from './http/listener.ts';
import type { PathHandler } from './http/routes.ts';
import { caCertificates } from './join/join-documents.ts';
import type { Reader } from './registry/reader.ts';

export interface SecurityOptions {
  readonly pki: ServerPki;
  readonly staticTokens: StaticTokens;
  readonly clock: Clock;
  /** The `iss` of service-account tokens, e.g. `https://kubernetes.default.svc.cluster.local`. */
  readonly issuer: string;
  /** Who tokens are for when nobody says; the issuer when absent. */
  readonly audiences?: readonly string[];
  /** Where this server is reached, `https://192.168.1.2:6443`; asked late, when the port is known. */
  readonly serverUrl: () => string;
  /** The server acting as itself, once it runs; charges quotas. */
  readonly client: () => Client;
  /** Told for each request with a client certificate how long that is still good. */
  readonly observeCertificate?: (remainingSeconds: number) => void;
  /** Admission that users configure in the API: policies and webhooks. */
  readonly dynamicAdmission?: (deps: AdmissionDeps) => readonly AdmissionPlugin[];
}

/** What the API server needs to know of who may do what. Everything but `tls` works from the moment `attach` was called. */
export interface ServerSecurity {
  /** For `ApiServerDeps.security`; once. */
  attach(reader: Reader): Security;
  /** For `ApiServerDeps.paths`, by first path segment: the CA for joining machines, the keys and the issuer of tokens. */
  readonly paths: ReadonlyMap<string, PathHandler>;
  readonly publicPaths: ReadonlySet<string>;
  /** Renewed certificates reach new connections. */
  readonly tls: TlsMaterial;
  authorization(): Authorization;
  tokens(): TokenIssuer;
}

interface Attached {
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly tokens: TokenIssuer;
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
/** Letters and digits Kubernetes makes names of: no vowels, no words. */
const randomText = (length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** Puts authentication, authorization, admission and the documents about them together. */
export function createServerSecurity(options: SecurityOptions): ServerSecurity {
  const { pki, clock } = options;
  let attached: Attached | undefined;
  const parts = (): Attached => {
    assert(attached, 'the API server has no security yet');
    return attached;
  };
  return {
    attach(reader) {
      assert(!attached, 'security is attached once');
      attached = attach(options, reader);
      const { authentication, authorization, tokens } = attached;
      const deps: AdmissionDeps = { reader, authorization, clock, client: lateClient(options.client), randomText };
      return {
        authenticate: (credentials) => authentication.authenticate(credentials),
        authorizer: authorization,
        admission: createAdmissionChain(deps, { dynamic: options.dynamicAdmission?.(deps) ?? [] }),
        tokens,
        reviews: createReviewHandlers(attached),
      };
    },
    paths: documents(pki, () => parts().tokens),
    publicPaths: new Set(['/cacerts']),
    tls: tlsOf(pki),
    authorization: () => parts().authorization,
    tokens: () => parts().tokens,
  };
}

function attach(options: SecurityOptions, reader: Reader): Attached {
  const { pki, clock, issuer, staticTokens } = options;
  const audiences = options.audiences ?? [issuer];
  const keys = [pki.serviceAccountKey] as const;
  const authorization = createAuthorization({ reader });
  const authentication = createAuthentication({
    reader,
    clock,
    clientCaPem: pki.ca.certificatePem,
    frontProxyCaPem: pki.frontProxyCa.certificatePem,
    staticTokens,
    observeCertificate: options.observeCertificate,
    tokenVerifier: createTokenVerifier({
      keys,
      issuers: [issuer],
      apiAudiences: audiences,
      reader,
      clock,
      onSecretUse: createLastUsedTracker({ client: lateClient(options.client), clock }),
    }),
    audiences,
  });
  return {
    authentication,
    authorization,
    tokens: createTokenIssuer({ keys, issuer, audiences, jwksUri: () => `${options.serverUrl()}/openid/v1/jwks`, reader, clock }),
  };
}

/** A client that exists only when the server does, for plugins that are made before it. */
function lateClient(find: () => Client): Pick<Client, 'get' | 'update' | 'patch'> {
  return {
    get: (kind, key) => find().get(kind, key),
    update: (kind, object, options) => find().update(kind, object, options),
    patch: (kind, key, patch) => find().patch(kind, key, patch),
  };
}

const encoder = new TextEncoder();
const document = (body: string, headers: AnswerHeaders): FullAnswer => ({ status: 200, headers, parts: [encoder.encode(body)] });
const oneHour = 'public, max-age=3600';

function documents(pki: ServerPki, tokens: () => TokenIssuer): ReadonlyMap<string, PathHandler> {
  const get = (pattern: RegExp, answer: () => Promise<FullAnswer> | FullAnswer): PathHandler => {
    return ({ path, method }) => {
      if (!pattern.test(path)) return undefined;
      if (method !== 'GET') throw methodNotAllowed();
      return answer();
    };
  };
  const cacerts = get(/^\/cacerts$/, () => {
    const { body, contentType } = caCertificates(pki);
    return document(body, { 'content-type': contentType });
  });
  const discovery = get(/^\/\.well-known\/openid-configuration\/?$/, () =>
    document(JSON.stringify(tokens().discovery()), { 'content-type': 'application/json', 'cache-control': oneHour }),
  );
  const keys = get(/^\/openid\/v1\/jwks\/?$/, async () =>
    document(JSON.stringify(await tokens().jwks()), { 'content-type': 'application/jwk-set+json', 'cache-control': oneHour }),
  );
  return new Map([
    ['cacerts', cacerts],
    ['.well-known', discovery],
    ['openid', keys],
  ]);
}

function tlsOf(pki: ServerPki): TlsMaterial {
  return {
    current: () => {
      const { certificatePem, privateKeyPem } = pki.leaf('serving');
      return {
        certificatePem,
        keyPem: privateKeyPem,
        clientCaPem: `${pki.ca.certificatePem}${pki.frontProxyCa.certificatePem}`,
      };
    },
    onChange: (listener) =>
      pki.onRenewed((name) => {
        if (name === 'serving') listener();
      }),
  };
}
