import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import { type CertificateAuthority, issueLeaf, leafValidityMs } from '../../pki/certificate.ts';
import type { CertificateRequest } from '../../pki/csr.ts';
import type { ExtendedUsage, KeyUsageName } from '../../pki/extensions.ts';
import { nodeClientProblem, nodeServingProblem, requestOf, Signer } from './csr-form.ts';

/** Requests for less get this much. */
const minValidityMs = 600_000;

const keyUsages: Readonly<Record<string, KeyUsageName>> = {
  signing: 'digitalSignature',
  'digital signature': 'digitalSignature',
  'content commitment': 'contentCommitment',
  'key encipherment': 'keyEncipherment',
  'key agreement': 'keyAgreement',
  'data encipherment': 'dataEncipherment',
  'encipher only': 'encipherOnly',
};

const extendedUsages: Readonly<Record<string, ExtendedUsage>> = {
  'server auth': 'serverAuth',
  'client auth': 'clientAuth',
  'code signing': 'codeSigning',
  'email protection': 'emailProtection',
  's/mime': 'emailProtection',
  timestamping: 'timestamping',
  'ocsp signing': 'ocspSigning',
};

/** The request does not fit its signer; the message goes into the condition Failed. */
export class SigningRefused extends Error {
  override readonly name = 'SigningRefused';
}

/** Signs an approved request of one of Kubernetes' own signers; undefined for signers of others. The chain is the leaf alone, as PEM. */
export function signCsr(
  csr: CertificateSigningRequest,
  options: { ca: CertificateAuthority; nowMs: number; maxValidityMs?: number },
): string | undefined {
  const { signerName, usages = [], expirationSeconds } = csr.spec;
  if (!(Object.values(Signer) as string[]).includes(signerName)) return undefined;
  const request = readRequest(csr);
  const problem = signerProblem(signerName, request, usages);
  if (problem) throw new SigningRefused(problem);
  const longest = options.maxValidityMs ?? leafValidityMs;
  const wanted = expirationSeconds === undefined ? longest : Math.max(minValidityMs, expirationSeconds * 1000);
  return issueLeaf(options.ca, {
    subject: request.subject,
    publicKey: request.publicKey,
    keyUsages: usages.map((u) => keyUsages[u]).filter((u) => u !== undefined),
    usages: usages.map((u) => extendedUsages[u]).filter((u) => u !== undefined),
    names: request.names,
    nowMs: options.nowMs,
    validityMs: Math.min(wanted, longest),
  });
}

function readRequest(csr: CertificateSigningRequest): CertificateRequest {
  try {
    return requestOf(csr);
  } catch (cause) {
    throw new SigningRefused(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

const clientUsages = new Set(['client auth', 'digital signature', 'key encipherment']);

function apiClientProblem(usages: readonly string[]): string | undefined {
  const strange = usages.find((usage) => !clientUsages.has(usage));
  if (strange !== undefined) return `invalid usage for client certificate: ${strange}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

function signerProblem(signer: string, request: CertificateRequest, usages: readonly string[]): string | undefined {
  switch (signer) {
    case Signer.nodeClient:
      return nodeClientProblem(request, usages);
    case Signer.nodeServing:
      return nodeServingProblem(request, usages);
    case Signer.apiClient:
      return apiClientProblem(usages);
    default:
      return undefined;
  }
}
