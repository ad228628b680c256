/** With what a client shows who it is: a certificate with its key (PEM), or a bearer token, or neither. */
export interface Credentials {
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}

/** Credentials, or a function that is asked again for every request, so that renewed ones are used at once. It must be cheap. */
export type CredentialsSource = Credentials | (() => Credentials);

/** What is shown now: certificates and tokens may be renewed while the client lives. */
export function credentialsOf(source: CredentialsSource): Credentials {
  return typeof source === 'function' ? source() : source;
}
