import type { ControllerDefinition } from '../../reconcile/controller.ts';
import type { MetadataWatch } from '../../reconcile/metadata-watch.ts';
import { podGarbageCollector } from './core/pod-gc.ts';
import { rootCaPublisher } from './core/root-ca-publisher.ts';
import { serviceAccountController } from './core/service-account.ts';
import { tokenCleaner } from './core/token-cleaner.ts';
import { cronJobController } from './cronjob/cronjob.ts';
import { daemonSetController } from './daemonset/daemonset.ts';
import { deploymentController } from './deployment/deployment.ts';
import { endpointSliceController } from './endpoints/endpoint-slice.ts';
import { endpointsController } from './endpoints/endpoints.ts';
import { endpointSliceMirroringController } from './endpoints/mirroring.ts';
import { jobController } from './job/job.ts';
import { ttlAfterFinishedController } from './job/ttl-after-finished.ts';
import { namespaceController } from './namespace/namespace.ts';
import { nodeIpamController } from './node/ipam.ts';
import { type NodeLifecycleOptions, nodeLifecycleController } from './node/lifecycle.ts';
import { taintEvictionController } from './node/taint-eviction.ts';
import { clusterRoleAggregationController } from './policy/cluster-role-aggregation.ts';
import { disruptionController } from './policy/disruption.ts';
import { resourceQuotaController } from './policy/resource-quota.ts';
import { replicaSetController } from './replicaset/replicaset.ts';
import { replicationController } from './replicaset/replication-controller.ts';
import { statefulSetController } from './statefulset/statefulset.ts';
import { volumeBinder } from './storage/binder.ts';
import { ephemeralVolumeController } from './storage/ephemeral.ts';
import {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from './storage/protection.ts';

export interface AllControllersDeps {
  /** PEM of the cluster's authority, published to every namespace. */
  readonly rootCa: string;
  /** The pods' addresses, one block per address family; empty when someone else gives nodes their pod CIDRs. */
  readonly clusterCidrs: readonly string[];
  /** Every kind there is, custom ones too. */
  readonly metadata: Pick<MetadataWatch, 'kinds' | 'addHandler'>;
  readonly node?: NodeLifecycleOptions;
}

/** Every controller of the server, in no particular order; the garbage collector is a component of its own. */
export function allControllers(deps: AllControllersDeps): ControllerDefinition[] {
  return [
    serviceAccountController,
    rootCaPublisher(deps.rootCa),
    namespaceController(() => deps.metadata.kinds),
    replicaSetController,
    replicationController,
    deploymentController,
    daemonSetController,
    statefulSetController,
    jobController(),
    ttlAfterFinishedController,
    cronJobController,
    disruptionController,
    resourceQuotaController(deps),
    clusterRoleAggregationController,
    volumeBinder,
    claimProtectionController,
    volumeProtectionController,
    attributesClassProtectionController,
    ephemeralVolumeController,
    endpointsController,
    endpointSliceController,
    endpointSliceMirroringController,
    nodeLifecycleController(deps.node),
    taintEvictionController(),
    ...(deps.clusterCidrs.length > 0 ? [nodeIpamController(deps)] : []),
    podGarbageCollector(),
    tokenCleaner,
  ];
}
