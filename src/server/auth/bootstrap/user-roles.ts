import type { PolicyRule } from '../../../api/generated/types.ts';
import { rule } from './rule.ts';

/** What `view` collects: reading what does not let one become somebody else (no secrets, no roles). */
export const viewRules: readonly PolicyRule[] = [
  rule(
    'read',
    'core',
    'pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps',
  ),
  rule(
    'read',
    'core',
    'limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status replicationcontrollers/status pods/log',
  ),
  rule('read', 'core', 'namespaces'),
  rule('read', 'core events', 'events'),
  rule('read', 'discovery', 'endpointslices'),
  rule(
    'read',
    'apps',
    'controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale',
  ),
  rule('read', 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule('read', 'batch', 'jobs cronjobs cronjobs/status jobs/status'),
  rule(
    'read',
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies',
  ),
  rule('read', 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule('read', 'networking', 'networkpolicies ingresses ingresses/status'),
  rule('read', 'resource', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
];

/** What `edit` collects besides `view`: working in a namespace, without changing who may do so. */
export const editRules: readonly PolicyRule[] = [
  rule('read', 'core', 'pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy'),
  rule('impersonate', 'core', 'serviceaccounts'),
  rule('write', 'core', 'pods pods/attach pods/proxy pods/exec pods/portforward'),
  rule('create', 'core', 'pods/eviction'),
  rule(
    'write',
    'core',
    'replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy persistentvolumeclaims configmaps secrets',
  ),
  rule('create', 'core', 'serviceaccounts/token'),
  rule('write', 'core events', 'events'),
  rule(
    'write',
    'apps',
    'statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets replicasets/scale',
  ),
  rule('write', 'autoscaling', 'horizontalpodautoscalers'),
  rule('write', 'batch', 'jobs cronjobs'),
  rule(
    'write',
    'extensions',
    'daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale replicationcontrollers/scale networkpolicies',
  ),
  rule('write', 'policy', 'poddisruptionbudgets'),
  rule('write', 'networking', 'networkpolicies ingresses'),
  rule('full', 'coordination', 'leases'),
  rule('write', 'resource', 'resourceclaims resourceclaimtemplates'),
];

/** What `admin` collects besides `edit`: granting rights inside the namespace. */
export const adminRules: readonly PolicyRule[] = [
  rule('create', 'authz', 'localsubjectaccessreviews'),
  rule('full', 'rbac', 'roles rolebindings'),
];
