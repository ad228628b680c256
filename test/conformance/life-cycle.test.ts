/** Every kind that is stored goes through the same life. Where a conformance test asks for just that, ours has its name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from './support/api.ts';
import { controlPlane } from './support/control-plane.ts';
import { kindRows } from './support/kind-rows.ts';
import { liveThrough } from './support/life-cycle.ts';

const plane = controlPlane();

const codenames: Readonly<Record<string, string>> = {
  'flowcontrol.apiserver.k8s.io/v1/flowschemas':
    '[sig-api-machinery] API priority and fairness should support FlowSchema API operations [Conformance]',
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations':
    '[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations [Conformance]',
  'batch/v1/cronjobs': '[sig-apps] CronJob should support CronJob API operations [Conformance]',
  'v1/configmaps': '[sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]',
  'v1/podtemplates': '[sig-node] PodTemplates should run the lifecycle of PodTemplates [Conformance]',
  'node.k8s.io/v1/runtimeclasses': '[sig-node] RuntimeClass should support RuntimeClasses API operations [Conformance]',
  'resource.k8s.io/v1/deviceclasses': '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]',
  'resource.k8s.io/v1/resourceclaims': '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]',
  'resource.k8s.io/v1/resourceclaimtemplates':
    '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]',
  'resource.k8s.io/v1/resourceslices': '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]',
  'discovery.k8s.io/v1/endpointslices':
    '[sig-network] EndpointSlice should support creating EndpointSlice API operations [Conformance]',
  'networking.k8s.io/v1/ingresses': '[sig-network] Ingress API should support creating Ingress API operations [Conformance]',
  'networking.k8s.io/v1/ingressclasses':
    '[sig-network] IngressClass API should support creating IngressClass API operations [Conformance]',
  'v1/serviceaccounts': '[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount [Conformance]',
  'v1/nodes': '[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]',
  'v1/endpoints': '[sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]',
  'storage.k8s.io/v1/csidrivers': '[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver [Conformance]',
  'storage.k8s.io/v1/csinodes':
    '[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode [Conformance]',
  'storage.k8s.io/v1/csistoragecapacities':
    '[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations [Conformance]',
  'storage.k8s.io/v1/storageclasses':
    '[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass [Conformance]',
  'storage.k8s.io/v1/volumeattachments':
    '[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment [Conformance]',
  'storage.k8s.io/v1/volumeattributesclasses':
    '[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass [Conformance]',
};

describe('every kind', () => {
  for (const row of kindRows) it(codenames[row.resource] ?? row.resource, () => liveThrough(plane, row));

  it('none is forgotten', async () => {
    const { groups } = await plane.api.get('/apis');
    const versions = groups.flatMap((group: Json) => group.versions.map((each: Json) => `/apis/${each.groupVersion}`));
    const lists = await Promise.all(['/api/v1', ...versions].map((path: string) => plane.api.get(path)));
    const stored = lists.flatMap(({ groupVersion, resources }) =>
      resources
        .filter(({ name, verbs }: Json) => verbs.includes('create') && verbs.includes('list') && !name.includes('/'))
        .map(({ name }: Json) => `${groupVersion}/${name}`),
    );
    assert.deepEqual(stored.toSorted(), kindRows.map((row) => row.resource).toSorted());
  });
});
