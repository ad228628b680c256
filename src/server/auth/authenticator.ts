import type { UserInfo } from './user.ts';

/** The parts of a request that say who makes it. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** The client certificate (DER) the TLS peer gave and has the key of; who signed it is still to be judged. */
  readonly clientCertificate: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Returns undefined when there is nothing for it to judge; throws StatusError Unauthorized for bad credentials. */
export interface Authenticator {
  authenticate(credentials: Credentials): UserInfo | undefined;
}
