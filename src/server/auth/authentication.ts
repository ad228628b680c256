import { unauthorized } from '../../api/status-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { StaticTokens } from '../../pki/token-files.ts';
import type { Reader } from '../registry/reader.ts';
import type { Credentials } from './authenticator.ts';
import { createClientCertificateAuthenticator } from './authenticators/client-certificate.ts';
import { createFrontProxyAuthenticator } from './authenticators/front-proxy.ts';
import { authenticateJoinToken } from './authenticators/join-token.ts';
import type { TokenVerifier } from './tokens/token-verifier.ts';
import { anonymous, type UserInfo } from './user.ts';
import { authenticatedGroup, unauthenticatedGroup } from './user-names.ts';

/** The answer about a bearer token. `error` says why a token is not good; it is for TokenReview, not for the token's sender. */
export interface TokenAnswer {
  readonly user?: UserInfo;
  readonly audiences?: readonly string[];
  readonly error?: string;
}

export interface Authentication {
  /** Who makes the request; system:anonymous without credentials. Throws or rejects with 401 Unauthorized for bad ones. */
  authenticate(credentials: Credentials): Promise<UserInfo> | UserInfo;
  /** Judges a token for TokenReview. Without audiences: those of the API server. */
  authenticateToken(token: string, audiences?: readonly string[]): Promise<TokenAnswer>;
}

export interface AuthenticationDeps {
  readonly reader: Reader;
  readonly clock: Clock;
  /** PEM of the CA that signs client certificates. */
  readonly clientCaPem: string;
  /** PEM of the CA that signs the certificates of proxies which may say X-Remote-User. */
  readonly frontProxyCaPem: string;
  /** Common names such a proxy may have. */
  readonly frontProxyNames?: readonly string[];
  readonly staticTokens: StaticTokens;
  readonly tokenVerifier: TokenVerifier;
  /** The audiences of the API server itself. */
  readonly audiences: readonly string[];
  /** Told for each request with a client certificate how long that is still good. */
  readonly observeCertificate?: ((remainingSeconds: number) => void) | undefined;
  /** Refuse requests without credentials (401) instead of treating them as system:anonymous. */
  readonly refuseAnonymous?: boolean;
}

const invalidToken = 'invalid bearer token';

/** In upstream's order: front proxy, client certificate, bearer token, anonymous. */
export function createAuthentication(deps: AuthenticationDeps): Authentication {
  const { clock } = deps;
  const byCertificate = [
    createFrontProxyAuthenticator({
      caPem: deps.frontProxyCaPem,
      allowedNames: deps.frontProxyNames ?? ['front-proxy-client'],
      clock,
    }),
    createClientCertificateAuthenticator({ caPem: deps.clientCaPem, clock, observe: deps.observeCertificate }),
  ];
  const authenticateToken = async (token: string, audiences = deps.audiences): Promise<TokenAnswer> => {
    const joining = authenticateJoinToken(token, deps);
    if (joining) return { user: withAuthenticated(joining), audiences: audiences.filter((a) => deps.audiences.includes(a)) };
    try {
      const answer = await deps.tokenVerifier.verify(token, audiences);
      return answer ? { user: withAuthenticated(answer.user), audiences: answer.audiences } : { error: invalidToken };
    } catch (error) {
      // Upstream asks the tokens of its own clients first, and tells what each said.
      return { error: `[${invalidToken}, ${error instanceof Error ? error.message : String(error)}]` };
    }
  };
  return {
    authenticateToken,
    authenticate(credentials) {
      for (const authenticator of byCertificate) {
        const user = authenticator.authenticate(credentials);
        if (user) return withAuthenticated(user);
      }
      const token = bearerToken(credentials);
      if (token === undefined) {
        // A certificate that nobody here knows, or that is over, is a bad credential, not the absence of one.
        if (deps.refuseAnonymous || credentials.clientCertificate) throw unauthorized();
        return anonymous;
      }
      return authenticateToken(token).then(({ user }) => {
        if (!user) throw unauthorized();
        return user;
      });
    },
  };
}

/** The word after `Bearer` and one space. Other schemes are nobody's business here; with two spaces there is no token, as upstream has it. */
function bearerToken({ authorization }: Credentials): string | undefined {
  const [scheme, token] = (authorization ?? '').trim().split(' ', 2);
  return scheme?.toLowerCase() === 'bearer' && token ? token : undefined;
}

/** Whoever is called system:anonymous stays a stranger, also when a trusted proxy says the name. */
function withAuthenticated(user: UserInfo): UserInfo {
  if (user.name === anonymous.name) return user;
  const has = user.groups.includes(authenticatedGroup) || user.groups.includes(unauthenticatedGroup);
  return has ? user : { ...user, groups: [...user.groups, authenticatedGroup] };
}
