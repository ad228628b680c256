import type { Pod } from '../../api/generated/types.ts';
import { podReferences } from '../auth/node/pod-references.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Why a pod made by a node is not the copy of a static pod of that very node; undefined when it is. */
export function mirrorPodProblem(pod: Pod, node: string, nodeUid: string | undefined): string | undefined {
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined)
    return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
  if (pod.spec?.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0) return `node "${node}" can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node "${node}" can only create pods with an owner reference set to itself`;
  if (!owner.controller) return `node "${node}" can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  if (owner.uid !== nodeUid) return `node ${node} UID mismatch: expected ${owner.uid} got ${nodeUid ?? ''}`;
  const used = referencedResource(pod);
  return used === undefined ? undefined : `node "${node}" can not create pods that reference ${used}`;
}

/** API objects a static pod may not use: its node would gain access to them. */
function referencedResource(pod: Pod): string | undefined {
  const { secrets, configMaps, claims, resourceClaims, serviceAccount } = podReferences(pod);
  if (serviceAccount) return 'serviceaccounts';
  if (secrets.size > 0) return 'secrets';
  if (configMaps.size > 0) return 'configmaps';
  const sources = (pod.spec?.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? []);
  if (sources.some((source) => source.clusterTrustBundle)) return 'clustertrustbundles';
  if (claims.size > 0) return 'persistentvolumeclaims';
  return resourceClaims.size > 0 ? 'resourceclaims' : undefined;
}
