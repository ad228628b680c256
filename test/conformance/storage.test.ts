import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, gone } from './support/control-plane.ts';

const plane = controlPlane();

it('[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status [Conformance]', async () => {
  const attachments = plane.api.resource('storage.k8s.io/v1/volumeattachments');
  await plane.api.resource('v1/nodes').create({ metadata: { name: 'node' }, spec: { unschedulable: true } });
  const spec = { attacher: 'csi.example.com', nodeName: 'node', source: { persistentVolumeName: 'none' } };
  // A status in the body of a create is not the creator's to set.
  await attachments.create({ metadata: { name: 'a' }, spec, status: { attached: true } });
  await attachments.patch('a', { metadata: { labels: { a: 'patched' } } });
  assert.deepEqual((await attachments.get('a', 'status')).status, { attached: false });
  const patched = await attachments.patch('a', { status: { attached: true } }, { subresource: 'status' });
  assert.equal(patched.status.attached, true);
  const detach = ({ status }: Json): void => {
    status.attached = false;
  };
  assert.equal((await attachments.change('a', detach, 'status')).status.attached, false);
  await attachments.delete('a');
  assert.deepEqual((await attachments.list({ labelSelector: 'a=patched' })).items, []);
});

interface Pair {
  readonly volumes: Resource;
  readonly claims: Resource;
}

/** A volume named as the namespace of its claim, which is named `claim`; bound to each other. */
async function boundPair(pair?: Pair): Promise<Pair> {
  const claims = pair?.claims ?? (await plane.inNewNamespace('v1/persistentvolumeclaims'));
  const volumes = plane.api.resource('v1/persistentvolumes');
  const name = claims.namespace!;
  const common = { accessModes: ['ReadWriteOnce'], storageClassName: name };
  await volumes.create({
    metadata: { name, labels: { of: name } },
    spec: { ...common, capacity: { storage: '2Gi' }, csi: { driver: 'csi.example.com', volumeHandle: 'x' } },
  });
  await claims.create({ metadata: { name: 'claim' }, spec: { ...common, resources: { requests: { storage: '1Gi' } } } });
  const phases = async (): Promise<string[]> => [
    (await claims.get('claim')).status.phase,
    (await volumes.get(name)).status.phase,
  ];
  await eventually('claim and volume are bound', async () => (await phases()).every((phase) => phase === 'Bound'));
  return { volumes, claims };
}

it('[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]', async () => {
  const pair = await boundPair();
  const { volumes, claims } = pair;
  const name = claims.namespace!;
  const ofPair = { labelSelector: `of=${name}` };
  assert.equal((await volumes.list(ofPair)).items.length, 1);
  assert.equal((await claims.list()).items.length, 1);
  for (const [resource, object] of [
    [volumes, name],
    [claims, 'claim'],
  ] as const) {
    const before = await resource.get(object);
    const patched = await resource.patch(object, { metadata: { labels: { patched: 'true' } } }, { type: 'strategic' });
    assertNewer(patched, before);
    const got = await resource.get(object);
    assert.deepEqual([got.metadata.uid, got.metadata.labels.patched], [before.metadata.uid, 'true']);
  }
  await claims.delete('claim');
  await gone(claims, 'claim');
  await volumes.delete(name);
  await gone(volumes, name);

  await boundPair(pair);
  const label = ({ metadata }: Json): void => {
    metadata.labels = { ...metadata.labels, updated: name };
  };
  await volumes.change(name, label);
  await claims.change('claim', label);
  const updated = { labelSelector: `updated=${name}` };
  assert.equal((await plane.api.resource('v1/persistentvolumeclaims').list(updated)).items.length, 1);
  await claims.deleteCollection(updated);
  await gone(claims, 'claim');
  await volumes.deleteCollection(updated);
  await gone(volumes, name);
});

it('[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]', async () => {
  const { volumes, claims } = await boundPair();
  const name = claims.namespace!;
  for (const [resource, object] of [
    [volumes, name],
    [claims, 'claim'],
  ] as const)
    assert.equal((await resource.get(object, 'status')).status.phase, 'Bound');
  const condition = (type: string): Json => ({ type, status: 'True', reason: 'Test', message: 'set by a test' });
  const typesOf = ({ status }: Json): string[] => status.conditions.map((each: Json) => each.type);
  const claimPatched = await claims.patch('claim', { status: { conditions: [condition('Patched')] } }, { subresource: 'status' });
  assert.deepEqual(typesOf(claimPatched), ['Patched']);
  const claimUpdated = await claims.change('claim', ({ status }) => status.conditions.push(condition('Updated')), 'status');
  assert.deepEqual(typesOf(claimUpdated), ['Patched', 'Updated']);
  const words = { reason: 'Test', message: 'patched' };
  const volumePatched = await volumes.patch(name, { status: words }, { subresource: 'status' });
  assert.deepEqual([volumePatched.status.reason, volumePatched.status.message], ['Test', 'patched']);
  const volumeUpdated = await volumes.change(name, ({ status }) => Object.assign(status, { message: 'updated' }), 'status');
  assert.deepEqual([volumeUpdated.status.reason, volumeUpdated.status.message], ['Test', 'updated']);
});
