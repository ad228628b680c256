import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import { type CertificateRequest, parseRequest } from '../../pki/csr.ts';
import { nodesGroup, nodeUserName } from '../auth/user-names.ts';

/** The signers of Kubernetes itself (k8s.io/api/certificates/v1). */
export const Signer = {
  apiClient: 'kubernetes.io/kube-apiserver-client',
  nodeClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  nodeServing: 'kubernetes.io/kubelet-serving',
  legacy: 'kubernetes.io/legacy-unknown',
} as const;

/** The parsed PKCS#10 request inside. Throws an Error that says what is wrong with it. */
export function requestOf(csr: CertificateSigningRequest): CertificateRequest {
  return parseRequest(Buffer.from(csr.spec.request, 'base64').toString('utf8'));
}

/** Whether a condition of this type is there and not "False". */
export function hasCondition(csr: CertificateSigningRequest, type: string): boolean {
  return csr.status?.conditions?.some((c) => c.type === type && c.status !== 'False') ?? false;
}

/** Why this is no request for a node's client certificate; undefined when it is one. Upstream's ValidateKubeletClientCSR. */
export function nodeClientProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  if (request.names.dns.length > 0) return 'DNS subjectAltNames are not allowed';
  if (request.names.ips.length > 0) return 'IP subjectAltNames are not allowed';
  if (request.otherNames > 0) return 'URI subjectAltNames are not allowed';
  return nodeSubjectProblem(request) ?? usageProblem(usages, 'client auth');
}

/** Why this is no request for a node's serving certificate; undefined when it is one. Upstream's ValidateKubeletServingCSR. */
export function nodeServingProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  if (request.names.dns.length + request.names.ips.length === 0) return 'at least one DNS or IP subjectAltName is required';
  if (request.otherNames > 0) return 'email and URI subjectAltNames are not allowed';
  return nodeSubjectProblem(request) ?? usageProblem(usages, 'server auth');
}

function nodeSubjectProblem({ subject }: CertificateRequest): string | undefined {
  if (subject.organizations.length !== 1 || subject.organizations[0] !== nodesGroup)
    return 'subject organization is not system:nodes';
  if (!subject.commonName.startsWith(nodeUserName(''))) return 'subject common name does not begin with system:node:';
  return undefined;
}

function usageProblem(usages: readonly string[], purpose: string): string | undefined {
  const others = usages.filter((u) => u !== purpose && u !== 'digital signature' && u !== 'key encipherment');
  if (others.length > 0 || !usages.includes(purpose) || !usages.includes('digital signature'))
    return `usages did not match [digital signature ${purpose}] or [digital signature key encipherment ${purpose}]`;
  return undefined;
}

/** The node a request with a node's subject is about. */
export function requestedNodeName({ subject }: CertificateRequest): string {
  return subject.commonName.slice(nodeUserName('').length);
}
