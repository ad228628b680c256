import { createHash, X509Certificate } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import { isSignedBy, isValidAt, type ParsedCertificate, parseCertificate } from '../../../pki/certificate.ts';
import { decodeExtendedKeyUsage } from '../../../pki/extensions.ts';
import { Oid } from '../../../pki/oids.ts';
import type { Authenticator, Credentials } from '../authenticator.ts';

/** Certificates whose signature has been checked: one per client that is around. */
const maxCheckedCertificates = 512;

/** A certificate of a client, checked. */
export interface ClientCertificate {
  readonly parsed: ParsedCertificate;
  /** Lower-case hex SHA-256 of the whole certificate. */
  readonly fingerprint: string;
}

/**
 * Finds the certificate a TLS peer gave, when `caPem` signed it for use by clients. Asked for every request, also on connections that
 * outlive the certificate: so the signature is checked once per certificate and the dates each time.
 */
export function createCertificateChecker(options: {
  caPem: string;
  clock: Clock;
}): (credentials: Credentials) => ClientCertificate | undefined {
  const ca = new X509Certificate(options.caPem);
  const checked = new Map<string, ClientCertificate | undefined>();
  /** By the bytes a connection keeps of its peer's certificate, so that they are hashed once per connection. */
  const ofConnection = new WeakMap<Uint8Array, { readonly certificate: ClientCertificate | undefined }>();
  const check = (bytes: Uint8Array): ClientCertificate | undefined => {
    const fingerprint = createHash('sha256').update(bytes).digest('hex');
    if (!checked.has(fingerprint)) {
      if (checked.size >= maxCheckedCertificates) checked.delete(checked.keys().next().value!);
      const parsed = checkedCertificate(bytes, ca);
      checked.set(fingerprint, parsed && { parsed, fingerprint });
    }
    return checked.get(fingerprint);
  };
  return ({ clientCertificate: bytes }) => {
    if (!bytes) return undefined;
    let known = ofConnection.get(bytes);
    if (!known) {
      known = { certificate: check(bytes) };
      ofConnection.set(bytes, known);
    }
    const { certificate } = known;
    return certificate && isValidAt(certificate.parsed, options.clock.now()) ? certificate : undefined;
  };
}

function checkedCertificate(bytes: Uint8Array, ca: X509Certificate): ParsedCertificate | undefined {
  try {
    const certificate = parseCertificate(bytes);
    const usage = certificate.extensions.get(Oid.extendedKeyUsage);
    return isForClients(usage && decodeExtendedKeyUsage(usage)) && isSignedBy(certificate, ca) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

const anyUsage = '2.5.29.37.0';

/** A certificate that does not say what it is for is for everything (RFC 5280 §4.2.1.12): what people make with openssl is often like that. */
function isForClients(usages: readonly string[] | undefined): boolean {
  return usages === undefined || usages.includes('clientAuth') || usages.includes(anyUsage);
}

/** CN is the user, each O a group, and the attribute 1.3.6.1.4.1.57683.2 the uid. */
export function createClientCertificateAuthenticator(options: {
  caPem: string;
  clock: Clock;
  /** Told for each request that came with one how long its certificate is still good. */
  observe?: ((remainingSeconds: number) => void) | undefined;
}): Authenticator {
  const find = createCertificateChecker(options);
  return {
    authenticate(credentials) {
      const certificate = find(credentials);
      if (!certificate?.parsed.subject.commonName) return undefined;
      options.observe?.((certificate.parsed.notAfterMs - options.clock.now()) / 1000);
      const { commonName, organizations, others } = certificate.parsed.subject;
      const uids = others?.get(Oid.kubernetesUid) ?? [];
      // A user with two uids, or with an empty one, is none.
      if (uids.length > 1 || uids[0] === '') return undefined;
      return {
        name: commonName,
        ...(uids[0] ? { uid: uids[0] } : {}),
        groups: organizations,
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint}`] },
      };
    },
  };
}
