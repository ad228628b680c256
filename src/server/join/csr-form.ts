import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import { type CertificateRequest, parseRequest } from '../../pki/csr.ts';
import { nodesGroup, nodeUserName, parseNodeUserName } from '../auth/user-names.ts';

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
  const { dns, emails = [], ips, uris = [] } = request.names;
  if (!isOfNodes(request)) return notOfNodes;
  if (dns.length > 0) return 'DNS subjectAltNames are not allowed';
  if (emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (ips.length > 0) return 'IP subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  return hasNodeName(request) ? usageProblem(usages, ['client auth', ...nodeUsages]) : notNodeName;
}

/** Why this is no request for a node's serving certificate; undefined when it is one. Upstream's ValidateKubeletServingCSR. */
export function nodeServingProblem(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, emails = [], ips, uris = [] } = request.names;
  if (!isOfNodes(request)) return notOfNodes;
  if (dns.length + ips.length === 0) return 'DNS or IP subjectAltName is required';
  if (emails.length > 0) return 'Email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  return usageProblem(usages, [...nodeUsages, 'server auth']) ?? (hasNodeName(request) ? undefined : notNodeName);
}

const notOfNodes = 'subject organization is not system:nodes';
const notNodeName = 'subject common name does not begin with system:node:';

const isOfNodes = ({ subject }: CertificateRequest): boolean =>
  subject.organizations.length === 1 && subject.organizations[0] === nodesGroup;

const hasNodeName = ({ subject }: CertificateRequest): boolean => parseNodeUserName(subject.commonName) !== undefined;

const nodeUsages = ['digital signature', 'key encipherment'];

/** `needed` in alphabetical order. Keys that are not RSA do without key encipherment. */
function usageProblem(usages: readonly string[], needed: readonly string[]): string | undefined {
  const fits =
    usages.every((usage) => needed.includes(usage)) &&
    needed.every((usage) => usage === 'key encipherment' || usages.includes(usage));
  return fits ? undefined : `usages did not match [${needed.join(' ')}]`;
}

/** The node a request with a node's subject is about. */
export function requestedNodeName({ subject }: CertificateRequest): string {
  return subject.commonName.slice(nodeUserName('').length);
}
