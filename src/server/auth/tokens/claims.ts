/** Names an object a token is bound to. */
export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

/** The claims of a service-account token, as upstream's pkg/serviceaccount/claims.go has them. Times in seconds. */
export interface ServiceAccountClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: ObjectClaim;
    readonly pod?: ObjectClaim;
    readonly secret?: ObjectClaim;
    readonly node?: ObjectClaim;
    readonly warnafter?: number;
  };
}

/** Issuer and claims of tokens kept in Secrets of type kubernetes.io/service-account-token; they never expire. */
export const legacyIssuer = 'kubernetes/serviceaccount';
export interface LegacyClaims {
  readonly iss: typeof legacyIssuer;
  readonly sub: string;
  readonly 'kubernetes.io/serviceaccount/namespace': string;
  readonly 'kubernetes.io/serviceaccount/secret.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid': string;
}
