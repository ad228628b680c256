import { createHash } from 'node:crypto';
import type { CertificateSigningRequest } from '../../api/generated/types.ts';
import { Lease } from '../../api/kinds/coordination/lease.ts';
import { Node } from '../../api/kinds/core/node.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CertificateRequest } from '../../pki/csr.ts';
import { canonicalIp } from '../../pki/extensions.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { nodesGroup } from '../auth/user-names.ts';
import type { Reader } from '../registry/reader.ts';
import { nodeClientProblem, nodeServingProblem, requestedNodeName, requestOf, Signer } from './csr-form.ts';

/** On a request: hex SHA-256 of a secret that stays on the machine. */
const machineKeyAnnotation = 'skiff.dev/machine-key';
/** On a Node: hex SHA-256 of the former. Tells two machines of one name apart. */
const machineKeyHashAnnotation = 'skiff.dev/machine-key-hash';

/** `leave` = nothing to decide for us: a person may, or it has to wait. */
export interface CsrDecision {
  readonly verdict: 'approve' | 'deny' | 'leave';
  readonly reason: string;
  readonly message: string;
}

/** A node whose Lease is older than this is not heartbeating. */
const leaseGraceMs = 40_000;

const leave = (message: string): CsrDecision => ({ verdict: 'leave', reason: '', message });
const approve = (message: string): CsrDecision => ({ verdict: 'approve', reason: 'AutoApproved', message });

interface Deps {
  readonly reader: Reader;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
}

/**
 * What becomes of a certificate request nobody has decided on. Nodes get their client certificate when they come with a join token, or
 * renew the one they have; and a serving certificate for the addresses their Node object shows. Everything else waits for a person.
 */
export function decideCsr(csr: CertificateSigningRequest, deps: Deps): CsrDecision {
  const { signerName, usages = [] } = csr.spec;
  if (signerName !== Signer.nodeClient && signerName !== Signer.nodeServing) return leave('');
  let request: CertificateRequest;
  try {
    request = requestOf(csr);
  } catch (error) {
    return leave(error instanceof Error ? error.message : String(error));
  }
  const isClient = signerName === Signer.nodeClient;
  const problem = isClient ? nodeClientProblem(request, usages) : nodeServingProblem(request, usages);
  if (problem) return leave(problem);
  return isClient ? decideClient(csr, request, deps) : decideServing(csr, request, deps);
}

function decideClient(csr: CertificateSigningRequest, request: CertificateRequest, deps: Deps): CsrDecision {
  if (csr.spec.username === request.subject.commonName) {
    if (!mayRequest(csr, 'selfnodeclient', deps)) return leave('the node may not renew its certificate');
    return approve('Auto approving self kubelet client certificate after SubjectAccessReview.');
  }
  if (!mayRequest(csr, 'nodeclient', deps)) return leave('the requester may not ask for node certificates');
  const name = requestedNodeName(request);
  const node = deps.reader.get(Node, { name });
  if (!node || isSameMachine(csr, node) || !isAlive(node, deps))
    return approve('Auto approving kubelet client certificate after SubjectAccessReview.');
  return {
    verdict: 'deny',
    reason: 'NodeNameTaken',
    message:
      `Another machine is already running in this cluster under the name "${name}". Give this machine another host name, ` +
      `or start it with --node-name. To replace the other machine, switch it off and try again after a minute.`,
  };
}

/** Asks what upstream's approver asks: may the requester create certificatesigningrequests/<subresource>? */
function mayRequest(csr: CertificateSigningRequest, subresource: string, deps: Deps): boolean {
  const { username = '', groups = [], extra = {} } = csr.spec;
  const decision = deps.authorizer.authorize({
    user: { name: username, groups, extra },
    verb: 'create',
    path: '',
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'certificatesigningrequests',
    subresource,
  });
  return decision.verdict === 'allow';
}

function isSameMachine(csr: CertificateSigningRequest, node: Node): boolean {
  const key = csr.metadata.annotations?.[machineKeyAnnotation];
  const expected = node.metadata.annotations?.[machineKeyHashAnnotation];
  return key !== undefined && expected === createHash('sha256').update(key).digest('hex');
}

/** Ready, and its Lease is fresh: the machine behind it is running. */
function isAlive(node: Node, { reader, clock }: Deps): boolean {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready')?.status === 'True';
  if (!ready) return false;
  const renewed = reader.get(Lease, { namespace: 'kube-node-lease', name: node.metadata.name })?.spec?.renewTime;
  return renewed === undefined || Date.parse(renewed) + leaseGraceMs > clock.now();
}

function decideServing(csr: CertificateSigningRequest, request: CertificateRequest, { reader }: Deps): CsrDecision {
  const { username, groups = [] } = csr.spec;
  if (username !== request.subject.commonName || !groups.includes(nodesGroup))
    return leave('only the node itself may ask for its serving certificate');
  const name = requestedNodeName(request);
  const node = reader.get(Node, { name });
  if (!node) return leave(`the node "${name}" is not registered yet`);
  const own = new Set([name, ...(node.status?.addresses ?? []).map((a) => canonicalIp(a.address))]);
  const strange = [...request.names.dns, ...request.names.ips].filter((address) => !own.has(address));
  if (strange.length > 0) return leave(`not an address of the node "${name}": ${strange.join(', ')}`);
  return approve('Auto approving kubelet serving certificate: all names and addresses belong to the node.');
}
