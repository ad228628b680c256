import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from './support/api.ts';
import { assertNewer, controlPlane, exists, refused } from './support/control-plane.ts';

const plane = controlPlane();
const containers = [{ name: 'app', image: 'registry.invalid/app:1' }];
const runtimeClasses = () => plane.api.resource('node.k8s.io/v1/runtimeclasses');

it('[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const pod = { metadata: { name: 'a' }, spec: { containers, runtimeClassName: 'not-there' } };
  await refused(pods.create(pod), 403, 'Forbidden');
});

it('[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const spec = { containers, runtimeClassName: 'deleted' };
  await runtimeClasses().create({ metadata: { name: 'deleted' }, handler: 'runc' });
  await pods.create({ metadata: { name: 'before' }, spec });
  await runtimeClasses().delete('deleted');
  await refused(pods.create({ metadata: { name: 'after' }, spec }), 403, 'Forbidden');
});

it('[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const sysctls = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..'].map((name) => ({ name, value: '42' }));
  const { message } = await refused(
    pods.create({ metadata: { name: 'a' }, spec: { containers, securityContext: { sysctls } } }),
    422,
    'Invalid',
  );
  for (const name of ['foo-', 'bar..']) assert.ok(message.includes(`Invalid value: "${name}"`), message);
  for (const name of ['kernel.shmmax', 'safe-and-unsafe']) assert.ok(!message.includes(name), message);
});

it('[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const amounts = { cpu: '100m', memory: '100Mi' };
  const rows: readonly (readonly [qosClass: string, resources: Json])[] = [
    ['Guaranteed', { requests: amounts, limits: amounts }],
    ['Burstable', { requests: amounts }],
    ['BestEffort', {}],
  ];
  for (const [qosClass, resources] of rows) {
    const name = qosClass.toLowerCase();
    await pods.create({ metadata: { name }, spec: { containers: [{ ...containers[0], resources }] } });
    assert.equal((await pods.get(name)).status.qosClass, qosClass);
  }
});

it('[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const volumes = [
    { name: 'one', csi: { driver: 'csi.example.com' } },
    { name: 'two', csi: { driver: 'csi.example.com', fsType: 'ext4', readOnly: true } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}` }));
  const pod = { metadata: { name: 'a' }, spec: { volumes, containers: [{ ...containers[0], volumeMounts }] } };
  const created = await pods.create(pod);
  await refused(pods.create(pod), 409, 'AlreadyExists');
  const got = await pods.get('a');
  assert.equal(got.metadata.uid, created.metadata.uid);
  assert.deepEqual(got.spec.volumes.slice(0, 2), volumes);
  assert.equal((await pods.list()).items.length, 1);
  const patched = await pods.patch('a', { metadata: { annotations: { patched: 'true' } } });
  assert.equal(patched.metadata.annotations.patched, 'true');
  await pods.delete('a');
  assert.equal(await exists(pods, 'a'), false);
});

it('[sig-node] PodTemplates should delete a collection of pod templates [Conformance]', async () => {
  const templates = await plane.inNewNamespace('v1/podtemplates');
  const names = ['one', 'two', 'three'];
  const labels = { set: 'true' };
  for (const name of names) await templates.create({ metadata: { name, labels }, template: { spec: { containers } } });
  await templates.create({ metadata: { name: 'other' }, template: { spec: { containers } } });
  const listed = async (query = {}): Promise<string[]> =>
    (await templates.list(query)).items.map((item: Json) => item.metadata.name);
  assert.deepEqual(await listed({ labelSelector: 'set=true' }), names.toSorted());
  await templates.deleteCollection({ labelSelector: 'set=true' });
  assert.deepEqual(await listed(), ['other']);
});

it('[sig-node] PodTemplates should replace a pod template [Conformance]', async () => {
  const templates = await plane.inNewNamespace('v1/podtemplates');
  const created = await templates.create({ metadata: { name: 'a' }, template: { spec: { containers } } });
  const replaced = await templates.change('a', ({ metadata }) => {
    metadata.annotations = { updated: 'true' };
  });
  assert.deepEqual(replaced.metadata.annotations, { updated: 'true' });
  assertNewer(replaced, created);
});
