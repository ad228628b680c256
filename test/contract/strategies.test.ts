import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupResource, type Kind } from '../../src/api/kind.ts';
import { builtinKinds } from '../../src/api/kinds/index.ts';

/** Where kinds differ in what all of them share; the lists are upstream's (kubernetes: pkg/registry, strategies and stores). */
const storage = ['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments', 'volumeattributesclasses'];
const devices = ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices'];
const policies = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings', 'mutatingwebhookconfigurations'];

const rows: [what: string, has: (kind: Kind) => boolean, names: string[]][] = [
  [
    'need a version to be updated',
    (kind) => !kind.allowUnconditionalUpdate,
    [
      ...[...policies, ...policies.map((name) => name.replace('mutating', 'validating'))].map(
        (name) => `${name}.admissionregistration.k8s.io`,
      ),
      ...['csidrivers', 'csinodes', 'csistoragecapacities', 'volumeattachments'].map((name) => `${name}.storage.k8s.io`),
      'apiservices.apiregistration.k8s.io',
      'customresourcedefinitions.apiextensions.k8s.io',
      'leases.coordination.k8s.io',
      'poddisruptionbudgets.policy',
      'runtimeclasses.node.k8s.io',
    ],
  ],
  [
    'are created by PUT',
    (kind) => kind.allowCreateOnUpdate,
    [
      ...['clusterrolebindings', 'clusterroles', 'rolebindings', 'roles'].map((name) => `${name}.rbac.authorization.k8s.io`),
      ...['endpoints', 'events', 'limitranges', 'services'],
      'events.events.k8s.io',
      'leases.coordination.k8s.io',
      'runtimeclasses.node.k8s.io',
    ],
  ],
  [
    'leave dependents behind by default',
    (kind) => kind.defaultPropagation === 'Orphan',
    ['jobs.batch', 'replicationcontrollers'],
  ],
  [
    'answer a deletion with the object',
    (kind) => kind.returnsDeletedObject,
    [
      ...['namespaces', 'persistentvolumeclaims', 'persistentvolumes', 'pods', 'podtemplates', 'resourcequotas'],
      ...['serviceaccounts', 'services'],
      ...storage.map((name) => `${name}.storage.k8s.io`),
      ...devices.map((name) => `${name}.resource.k8s.io`),
    ],
  ],
  [
    'have no deletecollection',
    (kind) => kind.verbs.includes('list') && kind.verbs.includes('delete') && !kind.verbs.includes('deletecollection'),
    ['namespaces'],
  ],
  [
    'keep their metadata when the status is written',
    (kind) => kind.resetFields['status']!.includes('metadata'),
    [
      'apiservices.apiregistration.k8s.io',
      'flowschemas.flowcontrol.apiserver.k8s.io',
      'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
      'resourceclaims.resource.k8s.io',
      'servicecidrs.networking.k8s.io',
      'validatingadmissionpolicies.admissionregistration.k8s.io',
      'volumeattachments.storage.k8s.io',
    ],
  ],
];

describe('kinds that', () => {
  for (const [what, has, names] of rows) {
    it(what, () => {
      const found = new Set(builtinKinds.filter(has).map(groupResource));
      assert.deepEqual([...found].sort(), [...names].sort());
    });
  }
});
