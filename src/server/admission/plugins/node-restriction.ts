import type { Node as NodeType, Pod as PodType, TokenRequest } from '../../../api/generated/types.ts';
import { CertificateSigningRequest } from '../../../api/kinds/certificates/certificate-signing-request.ts';
import { Lease } from '../../../api/kinds/coordination/lease.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import { ResourceSlice } from '../../../api/kinds/resource/resource-slice.ts';
import { CSINode } from '../../../api/kinds/storage/csi-node.ts';
import { notFound } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import type { Authorizer } from '../../auth/authorizer.ts';
import { nodeNameOf, nodeUserName } from '../../auth/user-names.ts';
import { requestOf, Signer } from '../../join/csr-form.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { mirrorPodProblem } from '../mirror-pod.ts';
import { forbiddenNodeLabels } from '../node-labels.ts';
import { refuse } from '../refusal.ts';
import { podUsesAudience } from '../token-audience.ts';

type Check = (request: AdmissionRequest, node: string, deps: AdmissionDeps) => void;

/** What a node may write: itself, and the state of pods bound to it. The node authorizer decides about kinds, this about objects. */
export function nodeRestriction(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    admit(request) {
      const node = nodeNameOf(request.user);
      if (node === undefined) return;
      if (node === '') throw refuse(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
      for (const [kind, check] of checks) if (isAbout(request, kind)) check(request, node, deps);
    },
  };
}

/** A pod that the plugin does not find is named in the singular, as upstream's cache names it. */
const cachedPod = { group: '', plural: 'pod', kind: 'Pod' };

const checkPod: Check = (request, node, { reader }) => {
  const { operation, subresource, namespace = '' } = request;
  const stored = (): PodType => {
    const pod = reader.get(Pod, { namespace, name: request.name });
    if (!pod) throw notFound(cachedPod, request.name);
    return pod;
  };
  const own = (pod: PodType, what: string): void => {
    if (pod.spec?.nodeName !== node) throw refuse(request, `node "${node}" can only ${what} with spec.nodeName set to itself`);
  };
  if (subresource === 'status') return checkPodStatus(request, node, own);
  if (subresource === 'eviction') {
    if (stored().spec?.nodeName === node) return;
    throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
  }
  if (subresource !== '')
    throw refuse(request, `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`);
  if (operation === 'DELETE') return own(stored(), 'delete pods');
  if (operation !== 'CREATE')
    throw refuse(request, `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`);
  const problem = mirrorPodProblem(request.object as unknown as PodType, node, reader.get(Node, { name: node })?.metadata.uid);
  if (problem) throw refuse(request, problem);
};

function checkPodStatus(request: AdmissionRequest, node: string, own: (pod: PodType, what: string) => void): void {
  const previous = request.oldObject as unknown as PodType | undefined;
  const next = request.object as unknown as PodType | undefined;
  if (!previous || !next) throw refuse(request, `unexpected operation "${request.operation}"`);
  own(previous, 'update pod status for pods');
  if (!semanticEqual(next.metadata.labels ?? {}, previous.metadata.labels ?? {}))
    throw refuse(request, `node "${node}" cannot update labels through pod status`);
  if (!semanticEqual(next.status?.resourceClaimStatuses ?? [], previous.status?.resourceClaimStatuses ?? []))
    throw refuse(request, `node "${node}" cannot update resource claim statues`);
}

const checkNode: Check = (request, node) => {
  const next = request.object as unknown as NodeType | undefined;
  const previous = request.oldObject as unknown as NodeType | undefined;
  const name = request.name || next?.metadata.name;
  if (name !== node) throw refuse(request, `node "${node}" is not allowed to modify node "${name}"`);
  if (!next || request.operation === 'DELETE') return;
  const source = next.spec?.configSource;
  if (source && !semanticEqual(source, previous?.spec?.configSource)) {
    const what = previous ? 'update configSource to a new non-nil configSource' : 'create pods with a non-nil configSource';
    throw refuse(request, `node "${node}" is not allowed to ${what}`);
  }
  if (previous && !semanticEqual(next.spec?.taints ?? [], previous.spec?.taints ?? []))
    throw refuse(request, `node "${node}" is not allowed to modify taints`);
  if (previous && !semanticEqual(next.metadata.ownerReferences ?? [], previous.metadata.ownerReferences ?? []))
    throw refuse(request, `node "${node}" is not allowed to modify ownerReferences`);
  const labels = forbiddenNodeLabels(next.metadata.labels ?? {}, previous?.metadata.labels ?? {});
  if (labels.length > 0) {
    const what = previous ? 'is not allowed to modify labels' : `node "${node}" is not allowed to set the following labels`;
    throw refuse(request, `${what}: ${labels.join(', ')}`);
  }
};

const checkClaim: Check = (request, node) => {
  if (request.subresource !== 'status') throw refuse(request, 'may only update PVC status');
  const frozen = (object: unknown): unknown => {
    const { metadata, status, ...rest } = structuredClone(object) as PersistentVolumeClaim;
    const { resourceVersion: _rv, managedFields: _fields, ...meta } = metadata;
    const { capacity: _c, conditions: _d, allocatedResources: _a, allocatedResourceStatuses: _s, ...state } = status ?? {};
    return { ...rest, meta, state };
  };
  if (!semanticEqual(frozen(request.object), frozen(request.oldObject)))
    throw refuse(request, `node "${node}" is not allowed to update fields other than status.quantity and status.conditions`);
};

const checkToken: Check = (request, node, { reader, authorization }) => {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return;
  const { boundObjectRef: ref, audiences = [] } = (request.object as unknown as Partial<TokenRequest>).spec ?? {};
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name)
    throw refuse(request, 'node requested token not bound to a pod');
  if (!ref.uid) throw refuse(request, 'node requested token with a pod binding without a uid');
  const pod = reader.get(Pod, { namespace: request.namespace ?? '', name: ref.name });
  if (!pod) throw notFound(cachedPod, ref.name);
  if (pod.metadata.uid !== ref.uid)
    throw refuse(
      request,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec?.nodeName !== node) throw refuse(request, 'node requested token bound to a pod scheduled on a different node');
  if (audiences.length > 1) throw refuse(request, 'node may only request 0 or 1 audiences');
  const audience = audiences[0] ?? '';
  if (!podUsesAudience(pod, audience, reader) && !mayRequestAudience(request, audience, authorization))
    throw refuse(
      request,
      `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`,
    );
};

/** Nodes whose credential providers need other audiences are given this verb on the audience as a resource. */
function mayRequestAudience(request: AdmissionRequest, audience: string, authorizer: Authorizer): boolean {
  const { user, name, namespace } = request;
  const what = { group: '', version: 'v1', resource: audience, name, ...(namespace ? { namespace } : {}) };
  return authorizer.authorize({ user, verb: 'request-serviceaccounts-token-audience', path: '', ...what }).verdict === 'allow';
}

const checkLease: Check = (request, node) => {
  if (request.namespace !== 'kube-node-lease')
    throw refuse(request, 'can only access leases in the "kube-node-lease" system namespace');
  if ((request.object?.metadata.name ?? request.name) !== node)
    throw refuse(request, 'can only access node lease with the same name as the requesting node');
};

const checkCsiNode: Check = (request, node) => {
  if ((request.object?.metadata.name ?? request.name) !== node)
    throw refuse(request, 'can only access CSINode with the same name as the requesting node');
};

const checkSlice: Check = (request, node) => {
  const slice = (request.operation === 'CREATE' ? request.object : request.oldObject) as unknown as ResourceSlice | undefined;
  if (slice?.spec.nodeName === node) return;
  const verb = request.operation.toLowerCase();
  throw refuse(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`);
};

const checkCsr: Check = (request, node) => {
  const csr = objectOf(request, CertificateSigningRequest, ['CREATE']);
  if (csr?.spec.signerName !== Signer.nodeClient && csr?.spec.signerName !== Signer.nodeServing) return;
  let commonName: string;
  try {
    commonName = requestOf(csr).subject.commonName;
  } catch (error) {
    throw refuse(request, `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (commonName !== nodeUserName(node)) throw refuse(request, `can only create a node CSR with CN=${nodeUserName(node)}`);
};

const checks = [
  [Pod, checkPod],
  [Node, checkNode],
  [PersistentVolumeClaim, checkClaim],
  [ServiceAccount, checkToken],
  [Lease, checkLease],
  [CSINode, checkCsiNode],
  [ResourceSlice, checkSlice],
  [CertificateSigningRequest, checkCsr],
] as const;
