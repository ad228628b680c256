/** One table of every kind, read as a whole: that is why this file is long. */

import type { Json } from './api.ts';
import { certificateRequest } from './certificates.ts';

/** What the life-cycle tests must know of a kind; the rest they find out. */
export interface KindRow {
  /** `group/version/plural`, or `v1/plural`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** The name of the nth object, where not every name is allowed. */
  readonly name?: (number: number) => string;
  /** Everything but kind and metadata of the nth object. */
  readonly fields?: (number: number, namespace: string) => Json;
  /** A change of the main resource, and how to see it. */
  readonly change?: { readonly edit: (object: Json) => void; readonly read: (object: Json) => unknown; readonly value: unknown };
  /** A patch and an update of the status; absent where there is no such sub-resource. */
  readonly status?: { readonly patch: Json; readonly update: Json };
  /** Writes of the status leave labels and annotations alone. */
  readonly statusKeepsMetadata?: boolean;
  /** Sub-resources besides status. */
  readonly subresources?: readonly string[];
  readonly withoutVerbs?: readonly string[];
}

const time = '2026-01-02T03:04:05Z';
const condition = (type: string, more: object = {}): Json => ({
  ...{ type, status: 'True', reason: 'Test', message: 'set by a test', lastTransitionTime: time },
  ...more,
});
/** For the many statuses with a list of conditions. */
const conditions = { patch: { conditions: [condition('Patched')] }, update: { conditions: [condition('Updated')] } };
const podSpec = { containers: [{ name: 'app', image: 'registry.invalid/app:1' }] };
const labels = { app: 'life-cycle' };
const template = { metadata: { labels }, spec: podSpec };
const workload = { replicas: 0, selector: { matchLabels: labels }, template };
const jobTemplate = { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } };
const deviceClaim = { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'device.example.com' } }] } };
const user = (name: string): Json => ({ resource: 'pods', name, uid: name });
const webhook = {
  name: 'hook.example.com',
  clientConfig: { url: 'https://hook.invalid/' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  // Of a group that nobody has.
  rules: [{ apiGroups: ['life-cycle.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
};

const webhookChange: NonNullable<KindRow['change']> = {
  edit: (object) => {
    object.webhooks[0].timeoutSeconds = 7;
  },
  read: (object) => object.webhooks[0].timeoutSeconds,
  value: 7,
};
const matchNothing = {
  resourceRules: [{ apiGroups: ['life-cycle.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
};

/** A change of one field below spec. */
function specChange(field: string, value: Json): NonNullable<KindRow['change']> {
  return {
    edit: (object) => {
      object.spec[field] = value;
    },
    read: (object) => object.spec[field],
    value,
  };
}

function fieldChange(field: string, value: Json): NonNullable<KindRow['change']> {
  return {
    edit: (object) => {
      object[field] = value;
    },
    read: (object) => object[field],
    value,
  };
}

const core: readonly KindRow[] = [
  {
    resource: 'v1/configmaps',
    kind: 'ConfigMap',
    namespaced: true,
    fields: () => ({ data: { a: '1' } }),
    change: fieldChange('data', { a: '2' }),
  },
  {
    resource: 'v1/endpoints',
    kind: 'Endpoints',
    namespaced: true,
    fields: () => ({ subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }] }),
    change: fieldChange('subsets', [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ port: 81, protocol: 'TCP' }] }]),
  },
  {
    resource: 'v1/events',
    kind: 'Event',
    namespaced: true,
    fields: (_, namespace) => ({ reason: 'Test', message: 'one', type: 'Normal', count: 1, involvedObject: { namespace } }),
    change: fieldChange('message', 'two'),
  },
  {
    resource: 'v1/limitranges',
    kind: 'LimitRange',
    namespaced: true,
    fields: () => ({ spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] } }),
    change: specChange('limits', [{ type: 'Pod', max: { cpu: '2' } }]),
  },
  {
    resource: 'v1/namespaces',
    kind: 'Namespace',
    namespaced: false,
    status: conditions,
    subresources: ['finalize'],
    withoutVerbs: ['deletecollection'],
  },
  {
    resource: 'v1/nodes',
    kind: 'Node',
    namespaced: false,
    fields: () => ({ spec: { unschedulable: true }, status: { conditions: [condition('Ready')] } }),
    change: specChange('providerID', 'life-cycle://node'),
    status: conditions,
    subresources: ['proxy'],
  },
  {
    resource: 'v1/persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    namespaced: true,
    fields: () => ({
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } },
    }),
    status: conditions,
  },
  {
    resource: 'v1/persistentvolumes',
    kind: 'PersistentVolume',
    namespaced: false,
    fields: () => ({
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/mnt/none' },
        storageClassName: 'none',
      },
    }),
    change: specChange('persistentVolumeReclaimPolicy', 'Delete'),
    status: { patch: { message: 'patched' }, update: { message: 'updated' } },
  },
  {
    resource: 'v1/pods',
    kind: 'Pod',
    namespaced: true,
    fields: () => ({ spec: podSpec }),
    change: specChange('activeDeadlineSeconds', 1000),
    status: conditions,
    subresources: [...['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy'], 'resize'],
  },
  { resource: 'v1/podtemplates', kind: 'PodTemplate', namespaced: true, fields: () => ({ template }) },
  {
    resource: 'v1/replicationcontrollers',
    kind: 'ReplicationController',
    namespaced: true,
    fields: () => ({ spec: { replicas: 0, selector: labels, template } }),
    change: specChange('minReadySeconds', 1),
    status: conditions,
    subresources: ['scale'],
  },
  {
    resource: 'v1/resourcequotas',
    kind: 'ResourceQuota',
    namespaced: true,
    fields: () => ({ spec: { hard: { pods: '5' } } }),
    change: specChange('hard', { pods: '6' }),
    status: { patch: { hard: { pods: '7' } }, update: { hard: { pods: '8' } } },
  },
  {
    resource: 'v1/secrets',
    kind: 'Secret',
    namespaced: true,
    fields: () => ({ data: { a: 'MQ==' } }),
    change: fieldChange('data', { a: 'Mg==' }),
  },
  {
    resource: 'v1/serviceaccounts',
    kind: 'ServiceAccount',
    namespaced: true,
    change: fieldChange('automountServiceAccountToken', false),
    subresources: ['token'],
  },
  {
    resource: 'v1/services',
    kind: 'Service',
    namespaced: true,
    fields: () => ({ spec: { ports: [{ port: 80 }] } }),
    change: specChange('sessionAffinity', 'ClientIP'),
    status: conditions,
    subresources: ['proxy'],
  },
];

const apps: readonly KindRow[] = [
  {
    resource: 'apps/v1/controllerrevisions',
    kind: 'ControllerRevision',
    namespaced: true,
    fields: () => ({ revision: 1, data: {} }),
    change: fieldChange('revision', 2),
  },
  {
    resource: 'apps/v1/daemonsets',
    kind: 'DaemonSet',
    namespaced: true,
    fields: () => ({ spec: { selector: { matchLabels: labels }, template } }),
    change: specChange('minReadySeconds', 1),
    status: conditions,
  },
  {
    resource: 'apps/v1/deployments',
    kind: 'Deployment',
    namespaced: true,
    fields: () => ({ spec: workload }),
    change: specChange('minReadySeconds', 1),
    status: conditions,
    subresources: ['scale'],
  },
  {
    resource: 'apps/v1/replicasets',
    kind: 'ReplicaSet',
    namespaced: true,
    fields: () => ({ spec: workload }),
    change: specChange('minReadySeconds', 1),
    status: conditions,
    subresources: ['scale'],
  },
  {
    resource: 'apps/v1/statefulsets',
    kind: 'StatefulSet',
    namespaced: true,
    fields: () => ({ spec: { ...workload, serviceName: 'none' } }),
    change: specChange('minReadySeconds', 1),
    status: conditions,
    subresources: ['scale'],
  },
  {
    resource: 'batch/v1/cronjobs',
    kind: 'CronJob',
    namespaced: true,
    fields: () => ({ spec: { schedule: '* */1 * * ?', suspend: true, jobTemplate } }),
    change: specChange('schedule', '0 0 2 1 *'),
    status: { patch: { lastScheduleTime: time }, update: { lastScheduleTime: '2026-01-02T03:05:05Z' } },
  },
  {
    resource: 'batch/v1/jobs',
    kind: 'Job',
    namespaced: true,
    fields: () => ({ spec: { ...jobTemplate.spec, suspend: true } }),
    change: specChange('parallelism', 2),
    status: conditions,
  },
  {
    resource: 'autoscaling/v2/horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
    fields: () => ({ spec: { maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'none', apiVersion: 'apps/v1' } } }),
    change: specChange('maxReplicas', 3),
    status: conditions,
  },
  {
    resource: 'autoscaling/v1/horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced: true,
    fields: () => ({ spec: { maxReplicas: 2, scaleTargetRef: { kind: 'Deployment', name: 'none', apiVersion: 'apps/v1' } } }),
    change: specChange('maxReplicas', 3),
    status: { patch: { desiredReplicas: 7 }, update: { desiredReplicas: 8 } },
  },
  {
    resource: 'policy/v1/poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
    fields: () => ({ spec: { minAvailable: 1, selector: { matchLabels: labels } } }),
    change: specChange('minAvailable', 2),
    status: conditions,
  },
  {
    resource: 'scheduling.k8s.io/v1/priorityclasses',
    kind: 'PriorityClass',
    namespaced: false,
    fields: () => ({ value: 7 }),
    change: fieldChange('description', 'changed'),
  },
];

const network: readonly KindRow[] = [
  {
    resource: 'discovery.k8s.io/v1/endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    fields: () => ({ addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4', '5.6.7.8'] }] }),
    change: fieldChange('endpoints', [{ addresses: ['1.2.3.5'], conditions: {} }]),
  },
  {
    resource: 'networking.k8s.io/v1/ingressclasses',
    kind: 'IngressClass',
    namespaced: false,
    fields: () => ({ spec: { controller: 'example.com/controller' } }),
    change: specChange('parameters', { kind: 'Thing', name: 'x', apiGroup: 'example.com', scope: 'Cluster' }),
  },
  {
    resource: 'networking.k8s.io/v1/ingresses',
    kind: 'Ingress',
    namespaced: true,
    fields: (number) => ({
      spec: {
        defaultBackend: { service: { name: 'none', port: { number: 80 } } },
        rules: [
          {
            host: `host${number}.example.com`,
            http: {
              paths: [
                { path: '/', pathType: 'ImplementationSpecific', backend: { service: { name: 'x', port: { name: 'y' } } } },
              ],
            },
          },
        ],
      },
      status: { loadBalancer: {} },
    }),
    change: specChange('defaultBackend', { service: { name: 'none', port: { number: 81 } } }),
    status: {
      patch: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } },
      update: { loadBalancer: { ingress: [{ ip: '169.1.1.2' }] } },
    },
  },
  {
    resource: 'networking.k8s.io/v1/ipaddresses',
    kind: 'IPAddress',
    namespaced: false,
    name: (number) => `192.0.2.${number}`,
    fields: () => ({ spec: { parentRef: { group: 'example.com', resource: 'things', namespace: 'none', name: 'x' } } }),
  },
  {
    resource: 'networking.k8s.io/v1/networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
    fields: () => ({ spec: { podSelector: {}, policyTypes: ['Ingress'] } }),
    change: specChange('policyTypes', ['Egress']),
  },
  {
    resource: 'networking.k8s.io/v1/servicecidrs',
    kind: 'ServiceCIDR',
    namespaced: false,
    fields: (number) => ({ spec: { cidrs: [`10.${200 + number}.0.0/24`] } }),
    status: conditions,
    statusKeepsMetadata: true,
  },
];

const security: readonly KindRow[] = [
  {
    resource: 'certificates.k8s.io/v1/certificatesigningrequests',
    kind: 'CertificateSigningRequest',
    namespaced: false,
    fields: () => ({ spec: { request: certificateRequest, signerName: 'example.com/life-cycle', usages: ['client auth'] } }),
    status: {
      patch: { conditions: [condition('Patched', { lastUpdateTime: time })] },
      update: { conditions: [condition('Updated', { lastUpdateTime: time })] },
    },
    subresources: ['approval'],
  },
  {
    resource: 'rbac.authorization.k8s.io/v1/clusterroles',
    kind: 'ClusterRole',
    namespaced: false,
    fields: () => ({ rules: [] }),
    change: fieldChange('rules', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]),
  },
  {
    resource: 'rbac.authorization.k8s.io/v1/clusterrolebindings',
    kind: 'ClusterRoleBinding',
    namespaced: false,
    fields: () => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } }),
    change: fieldChange('subjects', [{ kind: 'User', name: 'nobody', apiGroup: 'rbac.authorization.k8s.io' }]),
  },
  {
    resource: 'rbac.authorization.k8s.io/v1/roles',
    kind: 'Role',
    namespaced: true,
    fields: () => ({ rules: [] }),
    change: fieldChange('rules', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]),
  },
  {
    resource: 'rbac.authorization.k8s.io/v1/rolebindings',
    kind: 'RoleBinding',
    namespaced: true,
    fields: () => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } }),
    change: fieldChange('subjects', [{ kind: 'User', name: 'nobody', apiGroup: 'rbac.authorization.k8s.io' }]),
  },
];

const storage: readonly KindRow[] = [
  {
    resource: 'storage.k8s.io/v1/csidrivers',
    kind: 'CSIDriver',
    namespaced: false,
    fields: () => ({ spec: { volumeLifecycleModes: ['Ephemeral'], fsGroupPolicy: 'ReadWriteOnceWithFSType' } }),
    change: specChange('requiresRepublish', true),
  },
  {
    resource: 'storage.k8s.io/v1/csinodes',
    kind: 'CSINode',
    namespaced: false,
    fields: () => ({ spec: { drivers: null } }),
    change: specChange('drivers', [{ name: 'd.example.com', nodeID: 'x', topologyKeys: ['zone'] }]),
  },
  {
    resource: 'storage.k8s.io/v1/csistoragecapacities',
    kind: 'CSIStorageCapacity',
    namespaced: true,
    fields: () => ({ storageClassName: 'none', capacity: '1Gi' }),
    change: fieldChange('capacity', '2Gi'),
  },
  {
    resource: 'storage.k8s.io/v1/storageclasses',
    kind: 'StorageClass',
    namespaced: false,
    fields: () => ({ provisioner: 'none.example.com' }),
    change: fieldChange('allowVolumeExpansion', true),
  },
  {
    resource: 'storage.k8s.io/v1/volumeattachments',
    kind: 'VolumeAttachment',
    namespaced: false,
    fields: () => ({ spec: { attacher: 'none.example.com', nodeName: 'none', source: { persistentVolumeName: 'none' } } }),
    status: { patch: { attached: true }, update: { attached: false } },
    statusKeepsMetadata: true,
  },
  {
    resource: 'storage.k8s.io/v1/volumeattributesclasses',
    kind: 'VolumeAttributesClass',
    namespaced: false,
    fields: () => ({ driverName: 'none.example.com', parameters: { a: 'b' } }),
  },
];

const machinery: readonly KindRow[] = [
  {
    resource: 'apiregistration.k8s.io/v1/apiservices',
    kind: 'APIService',
    namespaced: false,
    name: (number) => `v${number}.life-cycle.example.com`,
    fields: (number) => ({
      spec: {
        group: 'life-cycle.example.com',
        version: `v${number}`,
        groupPriorityMinimum: 10,
        versionPriority: 10,
        service: { name: 'none', namespace: 'default', port: 443 },
        insecureSkipTLSVerify: true,
      },
    }),
    change: specChange('versionPriority', 11),
    status: conditions,
  },
  {
    resource: 'events.k8s.io/v1/events',
    kind: 'Event',
    namespaced: true,
    fields: (_, namespace) => ({
      eventTime: '2026-01-02T03:04:05.000000Z',
      reportingController: 'example.com/test',
      reportingInstance: 'one',
      action: 'Do',
      reason: 'Test',
      type: 'Normal',
      note: 'a note',
      regarding: { namespace },
    }),
    change: fieldChange('series', { count: 2, lastObservedTime: '2026-01-02T03:05:05.000000Z' }),
  },
  {
    resource: 'admissionregistration.k8s.io/v1/mutatingadmissionpolicies',
    kind: 'MutatingAdmissionPolicy',
    namespaced: false,
    fields: () => ({
      spec: {
        matchConstraints: matchNothing,
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      },
    }),
    change: specChange('reinvocationPolicy', 'IfNeeded'),
  },
  {
    resource: 'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings',
    kind: 'MutatingAdmissionPolicyBinding',
    namespaced: false,
    fields: () => ({ spec: { policyName: 'none.example.com' } }),
    change: specChange('policyName', 'nothing.example.com'),
  },
  {
    resource: 'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    kind: 'MutatingWebhookConfiguration',
    namespaced: false,
    fields: () => ({ webhooks: [webhook] }),
    change: webhookChange,
  },
  {
    resource: 'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    kind: 'ValidatingAdmissionPolicy',
    namespaced: false,
    fields: () => ({ spec: { matchConstraints: matchNothing, validations: [{ expression: 'true' }] } }),
    change: specChange('failurePolicy', 'Ignore'),
    status: conditions,
    statusKeepsMetadata: true,
  },
  {
    resource: 'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
    namespaced: false,
    fields: () => ({ spec: { policyName: 'none.example.com', validationActions: ['Deny'] } }),
    change: specChange('validationActions', ['Warn']),
  },
  {
    resource: 'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    kind: 'ValidatingWebhookConfiguration',
    namespaced: false,
    fields: () => ({ webhooks: [webhook] }),
    change: webhookChange,
  },
  {
    resource: 'apiextensions.k8s.io/v1/customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    namespaced: false,
    name: (number) => `things${number}.life-cycle.example.com`,
    fields: (number) => ({
      spec: {
        group: 'life-cycle.example.com',
        scope: 'Namespaced',
        names: { plural: `things${number}`, singular: `thing${number}`, kind: `Thing${number}`, listKind: `Thing${number}List` },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    }),
    status: conditions,
  },
  {
    resource: 'coordination.k8s.io/v1/leases',
    kind: 'Lease',
    namespaced: true,
    fields: () => ({ spec: { holderIdentity: 'one', leaseDurationSeconds: 30 } }),
    change: specChange('holderIdentity', 'two'),
  },
  {
    resource: 'node.k8s.io/v1/runtimeclasses',
    kind: 'RuntimeClass',
    namespaced: false,
    fields: () => ({ handler: 'none' }),
    change: fieldChange('overhead', { podFixed: { cpu: '10m' } }),
  },
  {
    resource: 'resource.k8s.io/v1/deviceclasses',
    kind: 'DeviceClass',
    namespaced: false,
    fields: () => ({ spec: { selectors: [{ cel: { expression: 'false' } }] } }),
    change: specChange('selectors', [{ cel: { expression: '1 == 0' } }]),
  },
  {
    resource: 'resource.k8s.io/v1/resourceclaims',
    kind: 'ResourceClaim',
    namespaced: true,
    fields: () => ({ spec: deviceClaim }),
    status: {
      patch: { allocation: {}, reservedFor: [user('one')] },
      update: { allocation: {}, reservedFor: [user('two')] },
    },
    statusKeepsMetadata: true,
  },
  {
    resource: 'resource.k8s.io/v1/resourceclaimtemplates',
    kind: 'ResourceClaimTemplate',
    namespaced: true,
    fields: () => ({ spec: { spec: deviceClaim } }),
  },
  {
    resource: 'resource.k8s.io/v1/resourceslices',
    kind: 'ResourceSlice',
    namespaced: false,
    fields: (number) => ({
      spec: {
        driver: 'device.example.com',
        pool: { name: `pool-${number}`, generation: 1, resourceSliceCount: 1 },
        nodeName: 'none',
      },
    }),
    change: specChange('devices', [{ name: 'device-0' }]),
  },
  {
    resource: 'flowcontrol.apiserver.k8s.io/v1/flowschemas',
    kind: 'FlowSchema',
    namespaced: false,
    fields: () => ({
      spec: {
        matchingPrecedence: 10_000,
        priorityLevelConfiguration: { name: 'global-default' },
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'nobody' } }],
            nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          },
        ],
      },
    }),
    change: specChange('matchingPrecedence', 9000),
    status: conditions,
    statusKeepsMetadata: true,
  },
  {
    resource: 'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
    kind: 'PriorityLevelConfiguration',
    namespaced: false,
    fields: () => ({
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
    }),
    change: {
      edit: (object) => {
        object.spec.limited.nominalConcurrencyShares = 4;
      },
      read: (object) => object.spec.limited.nominalConcurrencyShares,
      value: 4,
    },
    status: conditions,
    statusKeepsMetadata: true,
  },
];

/** Every kind that is stored. */
export const kindRows: readonly KindRow[] = [...core, ...apps, ...network, ...security, ...storage, ...machinery];
