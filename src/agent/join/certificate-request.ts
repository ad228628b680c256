import { randomBytes } from 'node:crypto';
import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import { CertificateSigningRequest as CsrKind } from '../../api/kinds/certificates/certificate-signing-request.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import { createRequest } from '../../pki/csr.ts';
import { generatePrivateKey, privateKeyPem } from '../../pki/keys.ts';
import { JoinError } from './join-error.ts';

export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWish {
  readonly nodeName: string;
  readonly signer: 'kubernetes.io/kube-apiserver-client-kubelet' | 'kubernetes.io/kubelet-serving';
  readonly names: { readonly dns: readonly string[]; readonly ips: readonly string[] };
  readonly machineKey: string;
}

const pollMs = { initial: 100, max: 5_000 };
/** A request that nobody decides on is given up after this long, and made again. */
const patienceMs = 120_000;
const taken = 'NodeNameTaken';

/**
 * Asks the cluster for a certificate and waits for it. Rejects with a JoinError when it is denied or nobody decides.
 * Rule: kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests.
 */
export async function requestCertificate(client: Client, clock: Clock, wish: CertificateWish): Promise<IssuedCertificate> {
  const key = generatePrivateKey();
  const isServing = wish.signer === 'kubernetes.io/kubelet-serving';
  const subject = { commonName: `system:node:${wish.nodeName}`, organizations: ['system:nodes'] };
  const pem = createRequest({ subject, privateKey: key, ...(isServing ? { names: wish.names } : {}) });
  const created = await client.create(CsrKind, {
    metadata: {
      name: `node-csr-${wish.nodeName.slice(0, 200)}-${randomBytes(5).toString('hex')}`,
      annotations: { 'skiff.dev/machine-key': wish.machineKey },
    },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: wish.signer,
      usages: ['digital signature', isServing ? 'server auth' : 'client auth'],
    },
  });
  const certificate = await issued(client, clock, created.metadata.name);
  return { certificate, key: privateKeyPem(key) };
}

async function issued(client: Client, clock: Clock, name: string): Promise<string> {
  const until = clock.monotonicMs() + patienceMs;
  for (let delayMs = pollMs.initial; ; delayMs = Math.min(delayMs * 2, pollMs.max)) {
    const csr = await client.get(CsrKind, { name });
    refuseDenied(csr);
    if (csr.status?.certificate) return Buffer.from(csr.status.certificate, 'base64').toString('utf8');
    if (clock.monotonicMs() > until)
      throw new JoinError(`the server has not decided on the certificate request ${name}`, {
        hint: `look at it on the server: "skiff kubectl describe csr ${name}", and approve it with "skiff kubectl certificate approve ${name}"`,
      });
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
  }
}

function refuseDenied(csr: CertificateSigningRequest): void {
  const denied = csr.status?.conditions?.find((c) => c.type === 'Denied' || c.type === 'Failed');
  if (!denied) return;
  throw new JoinError(denied.message || `the certificate request was refused: ${denied.reason}`, {
    hint:
      denied.reason === taken
        ? 'start this machine with another --node-name, or change its host name'
        : `look at it on the server: "skiff kubectl describe csr ${csr.metadata.name}"`,
    retryMs: 60_000,
  });
}
