import { lookup } from '../../lib/lookup.ts';

/** What upstream calls the work queues of controllers in metrics, where that is not the name of the controller. */
const queueNames: Readonly<Record<string, string>> = lookup({
  'service-account': 'serviceaccount',
  'root-ca-cert-publisher': 'root_ca_cert_publisher',
  replication: 'replicationmanager',
  'ttl-after-finished': 'ttl_jobs_to_delete',
  resourcequota: 'resourcequota_primary',
  'clusterrole-aggregation': 'ClusterRoleAggregator',
  'persistentvolume-binder': 'claims',
  'pvc-protection': 'pvcprotection',
  'pv-protection': 'pvprotection',
  'volumeattributesclass-protection': 'vacprotection',
  'ephemeral-volume': 'ephemeral_volume',
  endpointslice: 'endpoint_slice',
  endpointslicemirroring: 'endpoint_slice_mirroring',
  node: 'node_lifecycle_controller',
  'taint-eviction': 'noexec_taint_pod',
  'pod-garbage-collector': 'orphaned_pods_nodes',
  'garbage-collector': 'garbage_collector_attempt_to_delete',
});

/** The name of a controller's work queue in metrics. */
export function queueNameOf(controller: string): string {
  return queueNames[controller] ?? controller;
}
