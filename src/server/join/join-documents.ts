import type { ServerPki } from '../../pki/server-pki.ts';

/** What the server answers to machines that do not trust it yet. */
export interface JoinDocument {
  readonly contentType: string;
  readonly body: string;
}

/**
 * `GET /cacerts`, without authentication: the CA certificate. It is no secret; the machine compares its hash with the one in its join token
 * before it sends the token's secret.
 */
export function caCertificates(pki: ServerPki): JoinDocument {
  return { contentType: 'application/x-pem-file', body: pki.ca.certificatePem };
}
