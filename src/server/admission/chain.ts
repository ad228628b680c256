import type { AdmissionPlugin } from './admission.ts';
import type { AdmissionDeps } from './deps.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './plugins/certificates.ts';
import { defaultIngressClass } from './plugins/default-ingress-class.ts';
import { defaultStorageClass } from './plugins/default-storage-class.ts';
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts';
import { limitRanger } from './plugins/limit-ranger.ts';
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts';
import { nodeRestriction } from './plugins/node-restriction.ts';
import { persistentVolumeClaimResize } from './plugins/persistent-volume-claim-resize.ts';
import { podResizeValidator } from './plugins/pod-resize-validator.ts';
import { podSecurity } from './plugins/pod-security.ts';
import { podTopologyLabels } from './plugins/pod-topology-labels.ts';
import { priority } from './plugins/priority.ts';
import { rbacEscalation } from './plugins/rbac-escalation.ts';
import { resourceQuota } from './plugins/resource-quota.ts';
import { runtimeClass } from './plugins/runtime-class.ts';
import { serviceAccount } from './plugins/service-account.ts';
import { storageObjectInUseProtection } from './plugins/storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './plugins/taint-nodes-by-condition.ts';

/**
 * Every admission plugin in upstream's order (pkg/kubeapiserver/options/plugins.go). `dynamic` are those that users configure in the API, in
 * the order MutatingAdmissionPolicy, MutatingAdmissionWebhook, ValidatingAdmissionPolicy, ValidatingAdmissionWebhook: they see what the
 * others made of an object, and only the quota, which must charge nothing for what is refused, comes after them.
 */
export function createAdmissionChain(
  deps: AdmissionDeps,
  options: { dynamic?: readonly AdmissionPlugin[] } = {},
): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle(deps),
    limitRanger(deps),
    serviceAccount(deps),
    nodeRestriction(deps),
    taintNodesByCondition(),
    podSecurity(deps),
    priority(deps),
    defaultTolerationSeconds(),
    defaultStorageClass(deps),
    storageObjectInUseProtection(),
    persistentVolumeClaimResize(deps),
    runtimeClass(deps),
    certificateApproval(deps),
    certificateSigning(deps),
    certificateSubjectRestriction(),
    defaultIngressClass(deps),
    podTopologyLabels(deps),
    podResizeValidator(deps),
    ...(options.dynamic ?? []),
    rbacEscalation(deps),
    resourceQuota(deps),
  ];
}
