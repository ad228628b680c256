import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Fields, newObject } from '../../../test/support/kinds.ts';
import type { Kind } from '../kind.ts';
import { Deployment } from '../kinds/apps/deployment.ts';
import { StatefulSet } from '../kinds/apps/stateful-set.ts';
import { CronJob } from '../kinds/batch/cron-job.ts';
import { Node } from '../kinds/core/node.ts';
import { PersistentVolume } from '../kinds/core/persistent-volume.ts';
import { Pod } from '../kinds/core/pod.ts';
import { ResourceQuota } from '../kinds/core/resource-quota.ts';
import { Secret } from '../kinds/core/secret.ts';
import { Service } from '../kinds/core/service.ts';
import { ServiceAccount } from '../kinds/core/service-account.ts';
import { EndpointSlice } from '../kinds/discovery/endpoint-slice.ts';
import { NetworkPolicy } from '../kinds/networking/network-policy.ts';
import { RuntimeClass } from '../kinds/node/runtime-class.ts';
import { CSIDriver } from '../kinds/storage/csi-driver.ts';
import { StorageClass } from '../kinds/storage/storage-class.ts';

const container = { name: 'c', image: 'i' };
const pod = (spec: object): Fields => ({ spec: { containers: [container], ...spec } });
const ofContainer = (fields: object): Fields => pod({ containers: [{ ...container, ...fields }] });
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container], terminationGracePeriodSeconds: -1 } };
const selector = { matchLabels: { a: 'b' } };
const grace = 'must be >= 0; negative values are invalid and will be treated as 1';

const rows: readonly [string, Kind, Fields, readonly string[]][] = [
  ['a plain pod', Pod, pod({}), []],
  [
    'an old node label',
    Pod,
    pod({ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }),
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    'a variable twice',
    Pod,
    ofContainer({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    }),
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    'a variable that builds on itself',
    Pod,
    ofContainer({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '$(A)2' },
      ],
    }),
    [],
  ],
  [
    'ports of two containers',
    Pod,
    pod({
      containers: [
        { ...container, ports: [{ name: 'web', containerPort: 80 }] },
        { ...container, name: 'd', ports: [{ name: 'web', containerPort: 80, hostPort: 8080 }] },
      ],
    }),
    [
      'spec.containers[1].ports[0]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
  [
    'a fraction of a byte',
    Pod,
    ofContainer({ resources: { limits: { memory: '100m' }, requests: { memory: '100m' } } }),
    [
      'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    ],
  ],
  [
    'files that hide each other',
    Pod,
    pod({
      volumes: [
        {
          name: 'v',
          secret: {
            secretName: 's',
            items: [
              { key: 'a', path: 'x' },
              { key: 'b', path: 'x/y' },
            ],
          },
        },
      ],
    }),
    ['volume "v" (Secret "s"): overlapping paths: "x/y" with "x"'],
  ],
  [
    'a secret without name, and one twice',
    Pod,
    pod({ imagePullSecrets: [{ name: 'r' }, { name: 'r' }, {}] }),
    ['spec.imagePullSecrets[1].name: duplicate name "r"', 'spec.imagePullSecrets[2].name: invalid empty name ""'],
  ],
  [
    'affinity to no pod',
    Pod,
    pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone' }] } } }),
    [
      'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
    ],
  ],
  [
    'a seccomp profile in an annotation',
    Pod,
    { ...pod({}), metadata: { name: 'p', annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default' } } },
    [
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ],
  ],
  ['a template', Deployment, { spec: { selector, template } }, [`spec.template.spec.terminationGracePeriodSeconds: ${grace}`]],
  [
    'a template in a CronJob',
    CronJob,
    { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } },
    [`spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds: ${grace}`],
  ],
  [
    'a set with an endless history',
    StatefulSet,
    { spec: { selector, template: { ...template, spec: { containers: [container] } }, revisionHistoryLimit: -1 } },
    ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'],
  ],
  [
    'external addresses, an IPv6 address in capitals, and an old distribution',
    Service,
    { spec: { externalIPs: ['FD00::1'], trafficDistribution: 'PreferClose', ports: [{ port: 80 }] } },
    [
      'spec.externalIPs[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ],
  [
    'a block that may be an address',
    NetworkPolicy,
    { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.1.2.3/8' } }] }] } },
    [
      'spec.ingress[0].from[0].ipBlock.cidr: CIDR value "10.1.2.3/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.3/32"?)',
    ],
  ],
  [
    'a volume for recycling, on a retired driver',
    PersistentVolume,
    { spec: { persistentVolumeReclaimPolicy: 'Recycle', rbd: {} } },
    [
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ],
  ],
  [
    'a quota that asks for more than it limits',
    ResourceQuota,
    { spec: { hard: { cpu: '4', 'limits.cpu': '2' } } },
    ['ResourceQuota cpu (4) should be less than limits.cpu (2)'],
  ],
  [
    'a certificate that is none',
    Secret,
    { type: 'kubernetes.io/tls', data: { 'tls.crt': 'AA==', 'tls.key': 'AA==' } },
    ['tls: failed to find any PEM data in certificate input'],
  ],
  [
    'an account with mountable secrets',
    ServiceAccount,
    { metadata: { name: 'a', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } },
    [
      'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
    ],
  ],
  [
    'names for endpoints',
    EndpointSlice,
    { addressType: 'FQDN', endpoints: [] },
    ['spec.addressType: FQDN endpoints are deprecated'],
  ],
  [
    'a class for old nodes',
    RuntimeClass,
    { handler: 'h', scheduling: { nodeSelector: { 'node-role.kubernetes.io/master': '' } } },
    ['scheduling.nodeSelector: use "node-role.kubernetes.io/control-plane" instead'],
  ],
  [
    'tokens in volume attributes',
    CSIDriver,
    { spec: { tokenRequests: [{ audience: 'a' }] } },
    [
      'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
    ],
  ],
  [
    'an old zone',
    StorageClass,
    {
      provisioner: 'p',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', values: ['a'] }] }],
    },
    ['allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ],
  [
    'a node with an id of its cloud',
    Node,
    { spec: { externalID: 'x' } },
    ['spec.externalID: this field is deprecated, and is unused by Kubernetes'],
  ],
];

describe('warnings', () => {
  for (const [title, kind, fields, expected] of rows) {
    it(title, () => assert.deepEqual(kind.warnings(newObject(kind, fields)), expected));
  }

  it('are not repeated while nothing changes, and never for pods', () => {
    const next = newObject(Deployment, { spec: { selector, template } });
    assert.deepEqual(Deployment.warnings(next, next), []);
    const changed = { ...next, metadata: { ...next.metadata, generation: 2 } };
    assert.equal(Deployment.warnings(changed, next).length, 1);
    const old = newObject(Pod, pod({ terminationGracePeriodSeconds: -1 }));
    assert.deepEqual(Pod.warnings(old, old), []);
  });
});
