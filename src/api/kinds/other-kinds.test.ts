import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, type Fields, newObject, problems, texts, updated, writeContext } from '../../../test/support/kinds.ts';
import type { Kind } from '../kind.ts';
import { ValidatingWebhookConfiguration } from './admissionregistration/validating-webhook-configuration.ts';
import { CustomResourceDefinition } from './apiextensions/custom-resource-definition.ts';
import { APIService } from './apiregistration/api-service.ts';
import { HorizontalPodAutoscalerV2 } from './autoscaling/horizontal-pod-autoscaler-v2.ts';
import { CertificateSigningRequest, keepAllButConditions } from './certificates/certificate-signing-request.ts';
import { validateApproval } from './certificates/request-rules.ts';
import { Lease } from './coordination/lease.ts';
import { EndpointSlice } from './discovery/endpoint-slice.ts';
import { PriorityLevelConfiguration } from './flowcontrol/priority-level-configuration.ts';
import { Ingress } from './networking/ingress.ts';
import { IPAddress } from './networking/ip-address.ts';
import { NetworkPolicy } from './networking/network-policy.ts';
import { ServiceCIDR } from './networking/service-cidr.ts';
import { RuntimeClass } from './node/runtime-class.ts';
import { PodDisruptionBudget } from './policy/pod-disruption-budget.ts';
import { ClusterRoleBinding } from './rbac/cluster-role-binding.ts';
import { Role } from './rbac/role.ts';
import { RoleBinding } from './rbac/role-binding.ts';
import { ResourceClaim } from './resource/resource-claim.ts';
import { PriorityClass } from './scheduling/priority-class.ts';
import { StorageClass } from './storage/storage-class.ts';

const roleRef = { kind: 'Role', name: 'r' };
const service = { service: { name: 's', port: { number: 80 } } };
const widgets = {
  group: 'example.com',
  scope: 'Namespaced',
  names: { kind: 'Widget', plural: 'widgets' },
  versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
};
const webhook = {
  name: 'a.example.com',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { service: { name: 's', namespace: 'n' } },
};

const rows: readonly [string, Kind, Fields, readonly string[]][] = [
  [
    'a role without verbs',
    Role,
    { rules: [{ apiGroups: [''], resources: ['pods'] }] },
    ['rules[0].verbs: Required value: verbs must contain at least one value'],
  ],
  ['a binding to nobody', RoleBinding, { roleRef }, []],
  [
    'a cluster-wide binding to a role of a namespace',
    ClusterRoleBinding,
    { roleRef },
    ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
  ],
  [
    'a binding to something else',
    RoleBinding,
    { roleRef, subjects: [{ kind: 'Dog', name: 'd' }] },
    ['subjects[0].kind: Unsupported value: "Dog": supported values: "ServiceAccount", "User", "Group"'],
  ],
  [
    'a lease of no time',
    Lease,
    { spec: { leaseDurationSeconds: 0 } },
    ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ],
  ['a route', Ingress, { spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: service }] } }] } }, []],
  ['an ingress to nowhere', Ingress, {}, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
  [
    'a path without type',
    Ingress,
    { spec: { rules: [{ http: { paths: [{ path: '/', backend: service }] } }] } },
    ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
  ],
  [
    'a relative path',
    Ingress,
    { spec: { rules: [{ http: { paths: [{ path: 'x', pathType: 'Exact', backend: service }] } }] } },
    ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path'],
  ],
  [
    'a policy for nobody in particular',
    NetworkPolicy,
    { spec: { ingress: [{ from: [{}] }] } },
    ['spec.ingress[0].from[0]: Required value: must specify a peer'],
  ],
  [
    'an exception outside',
    NetworkPolicy,
    { spec: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }] } },
    ['spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'],
  ],
  [
    'a range with host bits',
    ServiceCIDR,
    { spec: { cidrs: ['10.0.0.1/8'] } },
    ['spec.cidrs[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'],
  ],
  [
    'an address in other words',
    IPAddress,
    { metadata: { name: '2001:0db8::1' }, spec: { parentRef: { resource: 'services', name: 'a' } } },
    ['metadata.name: Invalid value: "2001:0db8::1": must be in canonical form ("2001:db8::1")'],
  ],
  [
    'a budget twice',
    PodDisruptionBudget,
    { spec: { minAvailable: 1, maxUnavailable: 1 } },
    ['spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set'],
  ],
  [
    'a priority of the system',
    PriorityClass,
    { value: 2_000_000_000 },
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  ['a runtime without handler', RuntimeClass, {}, ['handler: Required value']],
  ['storage of nobody', StorageClass, {}, ['provisioner: Required value']],
  [
    'a slice of the other family',
    EndpointSlice,
    { addressType: 'IPv4', endpoints: [{ addresses: ['2001:db8::1'] }] },
    ['endpoints[0].addresses: Invalid value: "2001:db8::1": must be an IPv4 address'],
  ],
  [
    'an API at the wrong name',
    APIService,
    { metadata: { name: 'x' }, spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 } },
    ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.a.b"'],
  ],
  ['a definition', CustomResourceDefinition, { metadata: { name: 'widgets.example.com' }, spec: widgets }, []],
  [
    'a definition at the wrong name',
    CustomResourceDefinition,
    { spec: widgets },
    ['metadata.name: Invalid value: "a": must be spec.names.plural+"."+spec.group'],
  ],
  ['a webhook', ValidatingWebhookConfiguration, { webhooks: [webhook] }, []],
  [
    'a webhook that answers nothing it is asked',
    ValidatingWebhookConfiguration,
    { webhooks: [{ ...webhook, admissionReviewVersions: ['v9'] }] },
    ['webhooks[0].admissionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1'],
  ],
  [
    'scaling without a maximum',
    HorizontalPodAutoscalerV2,
    { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } },
    [
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    ],
  ],
  [
    'an exemption by another name',
    PriorityLevelConfiguration,
    { spec: { type: 'Exempt' } },
    ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"],
  ],
  [
    'a device of no class',
    ResourceClaim,
    { spec: { devices: { requests: [{ name: 'r', exactly: {} }] } } },
    ['spec.devices.requests[0].exactly.deviceClassName: Required value'],
  ],
];

describe('validation of', () => {
  for (const [title, kind, fields, expected] of rows) it(title, () => assert.deepEqual(problems(kind, fields), expected));
});

describe('custom resource definitions', () => {
  const definition = newObject(CustomResourceDefinition, { metadata: { name: 'widgets.example.com' }, spec: widgets });

  it('complete their names and remember the stored version', () => {
    assert.deepEqual(definition.spec.names, { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' });
    assert.deepEqual(definition.status, { storedVersions: ['v1'] });
  });

  it('keep versions in which objects may be stored', () => {
    const { errors } = updated(CustomResourceDefinition, definition, (d) => {
      d.spec.versions[0]!.name = 'v2';
    });
    assert.equal(errors.length, 1);
    assert.ok(
      errors[0]?.startsWith(
        'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version',
      ),
    );
  });

  it('need structural schemas', () => {
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: { list: { type: 'array' }, any: {} } } } };
    const versions = [{ ...widgets.versions[0], schema: { openAPIV3Schema: schema } }];
    const at = 'spec.versions[0].schema.openAPIV3Schema.properties[spec].properties';
    assert.deepEqual(
      problems(CustomResourceDefinition, { metadata: { name: 'widgets.example.com' }, spec: { ...widgets, versions } }),
      [
        `${at}[list].items: Required value: must be specified`,
        `${at}[any].type: Required value: must not be empty for specified object fields`,
      ],
    );
  });
});

describe('certificate signing requests', () => {
  const request = newObject(CertificateSigningRequest, {
    spec: {
      request: btoa('-----BEGIN CERTIFICATE REQUEST-----\n'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      username: 'me',
    },
  });

  it('do not say who asks', () => {
    assert.equal(request.spec.username, undefined);
    assert.deepEqual(texts(CertificateSigningRequest.validate(request)), []);
  });

  it('are decided through /approval, with a time', () => {
    const next = structuredClone(request);
    next.status = { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'x' };
    keepAllButConditions(next, request, writeContext.nowMs);
    assert.deepEqual(texts(validateApproval(next, request)), []);
    assert.equal(next.status.certificate, undefined);
    assert.equal(next.status.conditions?.[0]?.lastUpdateTime, '2026-11-21T01:00:00Z');
    assert.equal(cells(CertificateSigningRequest, next)['Condition'], 'Approved');
  });

  it('are not decided through /status', () => {
    const next = structuredClone(request);
    next.status = { conditions: [{ type: 'Approved', status: 'True' }] };
    CertificateSigningRequest.prepareForStatusUpdate(next, request, writeContext);
    assert.deepEqual(texts(CertificateSigningRequest.validateStatusUpdate(next, request)), [
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ]);
  });
});

describe('defaults of', () => {
  it('network policies follow from their rules', () => {
    assert.deepEqual(newObject(NetworkPolicy, { spec: { egress: [{}] } }).spec.policyTypes, ['Ingress', 'Egress']);
    assert.deepEqual(newObject(NetworkPolicy, {}).spec.policyTypes, ['Ingress']);
  });

  it('role bindings are of the RBAC group', () => {
    const binding = newObject(RoleBinding, { roleRef, subjects: [{ kind: 'User', name: 'u' }] });
    assert.equal(binding.roleRef.apiGroup, 'rbac.authorization.k8s.io');
    assert.equal(binding.subjects?.[0]?.apiGroup, 'rbac.authorization.k8s.io');
  });

  it('webhooks fail, ask for equivalents, wait ten seconds', () => {
    const [hook] = newObject(ValidatingWebhookConfiguration, { webhooks: [webhook] }).webhooks ?? [];
    assert.deepEqual([hook?.failurePolicy, hook?.matchPolicy, hook?.timeoutSeconds], ['Fail', 'Equivalent', 10]);
    assert.equal(hook?.clientConfig.service?.port, 443);
  });

  it('autoscalers aim at 80 % of CPU', () => {
    const hpa = newObject(HorizontalPodAutoscalerV2, {
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3 },
    });
    assert.equal(cells(HorizontalPodAutoscalerV2, hpa)['Targets'], 'cpu: <unknown>/80%');
  });
});

it('a role binding keeps its role', () => {
  const { errors } = updated(RoleBinding, newObject(RoleBinding, { roleRef }), (b) => {
    b.roleRef.name = 'other';
  });
  assert.equal(errors.length, 1);
  assert.ok(errors[0]?.endsWith('cannot change roleRef'));
});
