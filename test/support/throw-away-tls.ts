import { createPublicKey } from 'node:crypto';
import { createCertificateAuthority, issueLeaf } from '../../src/pki/certificate.ts';
import { generatePrivateKey, privateKeyPem } from '../../src/pki/keys.ts';
import type { TlsMaterial } from '../../src/server/http/listener.ts';

/** A CA and certificates that live as long as the test. */
export interface ThrowAwayTls {
  readonly caPem: string;
  readonly tls: TlsMaterial;
  /** A client certificate of the same CA. */
  client(commonName: string, organizations: readonly string[]): { certificatePem: string; keyPem: string };
}

/** A CA, a serving certificate for localhost and 127.0.0.1, and client certificates as asked for. */
export function throwAwayTls(): ThrowAwayTls {
  const nowMs = Date.now();
  const ca = createCertificateAuthority({ commonName: 'test-ca', nowMs });
  const issue = (commonName: string, organizations: readonly string[]): { certificatePem: string; keyPem: string } => {
    const key = generatePrivateKey();
    const certificatePem = issueLeaf(ca, {
      subject: { commonName, organizations },
      publicKey: createPublicKey(key),
      usages: ['serverAuth', 'clientAuth'],
      names: { dns: ['localhost'], ips: ['127.0.0.1'] },
      nowMs,
    });
    return { certificatePem, keyPem: privateKeyPem(key) };
  };
  const serving = { ...issue('localhost', []), clientCaPem: ca.certificatePem };
  return {
    caPem: ca.certificatePem,
    tls: { current: () => serving, onChange: () => () => {} },
    client: issue,
  };
}
