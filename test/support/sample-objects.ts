import { generateKeyPairSync } from 'node:crypto';
import type { Kind } from '../../src/api/kind.ts';
import { type AnyObject, apiVersionOf } from '../../src/api/meta.ts';
import { createRequest } from '../../src/pki/csr.ts';

/** A valid object of a built-in kind with many of its fields set, as a client would send it: without namespace, its name is `name`. */
export function sampleOf(kind: Kind, name: string): AnyObject {
  const fields = structuredClone(fieldsOf(kind, name));
  const metadata = {
    name: nameFor[kind.kind]?.(name) ?? name,
    labels: { app: 'web', tier: 'front' },
    annotations: { 'example.com/note': 'a "quoted" note, line\nbreak, ü' },
  };
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata, ...fields } as unknown as AnyObject;
}

type Fields = Readonly<Record<string, unknown>>;

/** Kinds whose names say something. */
const nameFor: Readonly<Record<string, (name: string) => string>> = {
  IPAddress: (name) => `10.44.${hash(name) % 250}.${(hash(name) >> 8) % 250}`,
  CustomResourceDefinition: (name) => `${name.replaceAll('-', '')}s.example.com`,
  APIService: (name) => `v1.${name}.example.com`,
  CSIDriver: (name) => `${name}.example.com`,
};

const hash = (text: string): number => [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) & 0xffff, 7);

const selector = { matchLabels: { app: 'web' } };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'example.com/web:1',
        command: ['run', '--fast'],
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
        ],
        env: [
          { name: 'A', value: '1' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
      { name: 'side', image: `example.com/side@sha256:${'0'.repeat(64)}`, args: ['x'] },
    ],
    volumes: [
      { name: 'data', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'config', configMap: { name: 'web', items: [{ key: 'a', path: 'b' }] } },
    ],
    tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }],
    nodeSelector: { disk: 'ssd' },
  },
};
const job = { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } };
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fast' };
const rules = [{ apiGroups: ['', 'apps'], resources: ['pods', 'deployments'], verbs: ['get', 'list'] }];
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }];
const webhooks = [
  {
    name: 'hook.example.com',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { name: 's', namespace: 'n', path: '/x' } },
    rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
  },
];
const matchConstraints = {
  resourceRules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
};
const devices = {
  requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 1 } }],
};
const access = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };
const time = '2026-11-21T00:00:00.000000Z';

/** By kind; where two groups share a kind, by `group/kind`. */
const samples: Readonly<Record<string, Fields>> = {
  Binding: { target: { kind: 'Node', name: 'n1' } },
  ComponentStatus: {},
  ConfigMap: { data: { a: '1', 'b.conf': 'x = "y"\n' }, binaryData: { c: 'AAEC' } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ name: 'http', port: 80 }] }] },
  Event: {
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Started',
    message: 'it did',
    type: 'Normal',
  },
  LimitRange: { spec: { limits: [{ type: 'Container', default: { cpu: '2' }, max: { cpu: '500' } }] } },
  Namespace: {},
  Node: { spec: { podCIDR: '10.42.9.0/24', taints: [{ key: 'k', effect: 'NoSchedule' }] } },
  PersistentVolumeClaim: { spec: claim },
  PersistentVolume: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } },
  Pod: { spec: template.spec },
  PodTemplate: { template },
  ReplicationController: { spec: { replicas: 0, selector: { app: 'web' }, template } },
  ResourceQuota: { spec: { hard: { 'count/leases': '100k', 'requests.cpu': '1000' } } },
  Secret: { type: 'Opaque', data: { a: 'MQ==' }, stringData: { b: '2' } },
  ServiceAccount: { automountServiceAccountToken: false, imagePullSecrets: [{ name: 'pull' }] },
  Service: {
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
  },
  ControllerRevision: { revision: 1, data: { spec: { a: [1, 'x', null] } } },
  DaemonSet: { spec: { selector, template } },
  Deployment: { spec: { replicas: 0, selector, template, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } } } },
  ReplicaSet: { spec: { replicas: 0, selector, template } },
  StatefulSet: {
    spec: {
      replicas: 0,
      serviceName: 'web',
      selector,
      template,
      volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: claim }],
    },
  },
  'events.k8s.io/Event': {
    eventTime: time,
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    action: 'Run',
    reason: 'Ran',
    type: 'Normal',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
  },
  SelfSubjectReview: {},
  TokenReview: { spec: { token: 'none' } },
  LocalSubjectAccessReview: { spec: { ...access, user: 'u' } },
  SelfSubjectAccessReview: { spec: access },
  SelfSubjectRulesReview: { spec: { namespace: 'default' } },
  SubjectAccessReview: { spec: { ...access, user: 'u', groups: ['g'] } },
  HorizontalPodAutoscaler: {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' }, minReplicas: 1, maxReplicas: 3 },
  },
  CronJob: { spec: { schedule: '5 4 * * 0', suspend: true, jobTemplate: { spec: job } } },
  Job: { spec: { ...job, suspend: true, parallelism: 1, completions: 1 } },
  IngressClass: { spec: { controller: 'example.com/c' } },
  Ingress: {
    spec: {
      rules: [
        {
          host: 'a.example.com',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] },
        },
      ],
      tls: [{ hosts: ['a.example.com'], secretName: 't' }],
    },
  },
  IPAddress: { spec: { parentRef: { resource: 'services', name: 'a', namespace: 'default' } } },
  NetworkPolicy: {
    spec: {
      podSelector: selector,
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, protocol: 'TCP' }] }],
    },
  },
  ServiceCIDR: { spec: { cidrs: ['10.77.0.0/24'] } },
  PodDisruptionBudget: { spec: { minAvailable: '50%', selector } },
  ClusterRoleBinding: { roleRef, subjects },
  ClusterRole: { rules },
  RoleBinding: { roleRef, subjects },
  Role: { rules },
  CSIDriver: { spec: { attachRequired: false, volumeLifecycleModes: ['Ephemeral'] } },
  CSINode: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n1', topologyKeys: ['zone'] }] } },
  CSIStorageCapacity: { storageClassName: 'fast', capacity: '1Gi' },
  StorageClass: { provisioner: 'example.com/p', parameters: { a: 'b' }, volumeBindingMode: 'WaitForFirstConsumer' },
  VolumeAttachment: { spec: { attacher: 'd.example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv' } } },
  VolumeAttributesClass: { driverName: 'd.example.com', parameters: { iops: '1' } },
  MutatingAdmissionPolicy: {
    spec: {
      reinvocationPolicy: 'Never',
      matchConstraints,
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: 'p' } },
  MutatingWebhookConfiguration: { webhooks },
  ValidatingAdmissionPolicy: { spec: { matchConstraints, validations: [{ expression: 'true' }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'p', validationActions: ['Deny'] } },
  ValidatingWebhookConfiguration: { webhooks },
  PriorityClass: { value: 10, description: 'ten' },
  Lease: { spec: { holderIdentity: 'me', leaseDurationSeconds: 10, renewTime: time } },
  RuntimeClass: { handler: 'runc', overhead: { podFixed: { cpu: '10m' } } },
  EndpointSlice: {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
  DeviceClass: { spec: { selectors: [{ cel: { expression: 'true' } }] } },
  ResourceClaim: { spec: { devices } },
  ResourceClaimTemplate: { spec: { spec: { devices } } },
  ResourceSlice: {
    spec: {
      driver: 'd.example.com',
      nodeName: 'n1',
      pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
      devices: [{ name: 'a' }],
    },
  },
  FlowSchema: {
    spec: {
      priorityLevelConfiguration: { name: 'global-default' },
      matchingPrecedence: 100,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'u' } }],
          nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
        },
      ],
    },
  },
  PriorityLevelConfiguration: {
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 10, limitResponse: { type: 'Reject' } } },
  },
};

/** Kinds whose sample depends on the name, or is made. */
const special: Readonly<Record<string, (name: string) => Fields>> = {
  CertificateSigningRequest: (name) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const request = createRequest({ subject: { commonName: name, organizations: [] }, privateKey });
    const usages = ['client auth', 'digital signature'];
    return { spec: { request: Buffer.from(request).toString('base64'), signerName: 'example.com/signer', usages } };
  },
  CustomResourceDefinition: (name) => {
    const plural = `${name.replaceAll('-', '')}s`;
    const openAPIV3Schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
    };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} } }];
    return { spec: { group: 'example.com', scope: 'Namespaced', names: { kind: `K${plural}`, plural }, versions } };
  },
  APIService: (name) => ({
    spec: { group: `${name}.example.com`, version: 'v1', groupPriorityMinimum: 1000, versionPriority: 10 },
  }),
};

function fieldsOf(kind: Kind, name: string): Fields {
  const fields = special[kind.kind]?.(name) ?? samples[`${kind.group}/${kind.kind}`] ?? samples[kind.kind];
  if (!fields) throw new Error(`no sample of ${kind.group}/${kind.kind}`);
  return fields;
}
