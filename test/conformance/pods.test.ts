import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane, exists, gone, refused } from './support/control-plane.ts';
import { imageOf } from './support/pretended-node.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node', { fateOf: (pod) => (imageOf(pod) === 'stubborn' ? 'stubborn' : 'ready') });
});
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

const scheduled: readonly (readonly [name: string, overhead: Json])[] = [
  [
    '[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance] [Conformance]',
    { cpu: '10m', memory: '1Mi' },
  ],
  [
    '[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance] [Conformance]',
    undefined,
  ],
];

for (const [title, podFixed] of scheduled)
  it(title, async () => {
    const pods = await plane.inNewNamespace('v1/pods');
    const name = pods.namespace!;
    await runtimeClasses().create({
      metadata: { name },
      handler: 'preconfigured',
      ...(podFixed ? { overhead: { podFixed } } : {}),
    });
    await pods.create({ metadata: { name: 'a' }, spec: { containers, runtimeClassName: name } });
    const pod = await eventually('the pod has a node', async () => {
      const each = await pods.get('a');
      return each.spec.nodeName && each;
    });
    assert.deepEqual(pod.spec.overhead, podFixed);
    await runtimeClasses().delete(name);
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
  await gone(pods, 'a');
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

const isRunning = (pods: Resource, name: string): Promise<Json> =>
  eventually(`${name} runs`, async () => {
    const pod = await pods.get(name);
    return pod.status.phase === 'Running' && pod;
  });

it('[sig-node] Pods should delete a collection of pods [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const names = ['one', 'two', 'three'];
  const labels = { type: 'testing' };
  for (const name of names)
    await pods.create({ metadata: { name, labels }, spec: { containers, terminationGracePeriodSeconds: 1 } });
  for (const name of names) await isRunning(pods, name);
  await pods.deleteCollection({ labelSelector: 'type=testing' }, { gracePeriodSeconds: 1 });
  for (const name of names) await gone(pods, name);
});

it('[sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const ours = { labelSelector: 'test=removed' };
  const { items, metadata } = await pods.list(ours);
  assert.deepEqual(items, []);
  const watch = await pods.watch({ ...ours, resourceVersion: metadata.resourceVersion });
  await pods.create({ metadata: { name: 'a', labels: { test: 'removed' } }, spec: { containers } });
  assert.equal((await pods.list(ours)).items.length, 1);
  await watch.expect('ADDED');
  await isRunning(pods, 'a');
  await pods.delete('a', { gracePeriodSeconds: 30 });
  const { object: last } = await watch.until('the deletion', ({ type }) => type === 'DELETED');
  assert.ok(last.metadata.deletionTimestamp);
  assert.equal(last.spec.terminationGracePeriodSeconds, 30);
  assert.deepEqual((await pods.list(ours)).items, []);
  watch.stop();
});

it('[sig-node] Pods should patch a pod status [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  await pods.create({ metadata: { name: 'a' }, spec: { containers } });
  await isRunning(pods, 'a');
  const words = { message: 'patched by a test', reason: 'Test' };
  const patch = { metadata: { annotations: { 'patched-status': 'true' } }, status: words };
  const { metadata, status } = await pods.patch('a', patch, { subresource: 'status' });
  assert.deepEqual([status.message, status.reason, status.phase], [words.message, words.reason, 'Running']);
  assert.equal(metadata.annotations['patched-status'], 'true');
});

it('[sig-node] Pods should run through the lifecycle of Pods and PodStatus [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const labels = { static: 'true' };
  const ours = { labelSelector: 'static=true' };
  const { resourceVersion } = (await plane.api.resource('v1/pods').list(ours)).metadata;
  const watch = await pods.watch({ ...ours, resourceVersion });
  await pods.create({ metadata: { name: 'a', labels }, spec: { containers } });
  const { object: running } = await watch.until('it runs', ({ object }) => object.status.phase === 'Running');
  assertVersion(running);
  const image = 'registry.invalid/app:2';
  const patch = { metadata: { labels: { test: 'patched' } }, spec: { containers: [{ name: 'app', image }] } };
  await pods.patch('a', patch, { type: 'strategic' });
  const { object: patched } = await watch.until('the patch', ({ object }) => object.metadata.labels.test === 'patched');
  assert.equal(imageOf(patched), image);
  assertNewer(patched, running);
  const conditionsOf = ({ status }: Json): Json[] =>
    status.conditions.filter((each: Json) => each.type === 'Ready' || each.type === 'ContainersReady');
  const updated = await pods.change(
    'a',
    (pod) => {
      for (const condition of conditionsOf(pod)) condition.status = 'False';
    },
    'status',
  );
  assert.deepEqual(
    conditionsOf(updated).map((each) => each.status),
    ['False', 'False'],
  );
  await pods.deleteCollection(ours, { gracePeriodSeconds: 1 });
  await watch.until('the deletion', ({ type }) => type === 'DELETED');
  watch.stop();
  assert.equal(await exists(pods, 'a'), false);
});

it('[sig-node] Pods should be updated [NodeConformance] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  await pods.create({ metadata: { name: 'a', labels: { time: '1' } }, spec: { containers } });
  await isRunning(pods, 'a');
  await pods.change('a', ({ metadata }) => {
    metadata.labels.time = '2';
  });
  const counts = ['1', '2'].map(async (time) => (await pods.list({ labelSelector: `time=${time}` })).items.length);
  assert.deepEqual(await Promise.all(counts), [0, 1]);
});

it('[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const created = await pods.create({
    metadata: { name: 'a' },
    spec: { containers, initContainers: [{ name: 'first', image: 'registry.invalid/init:1' }] },
  });
  assert.equal(created.metadata.generation, 1);
  await isRunning(pods, 'a');
  const rows: readonly (readonly [what: string, edit: (pod: Json) => void, counts: boolean])[] = [
    ['nothing', () => {}, false],
    [
      'a toleration',
      ({ spec }) => spec.tolerations.push({ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }),
      true,
    ],
    ['the deadline', ({ spec }) => Object.assign(spec, { activeDeadlineSeconds: 5000 }), true],
    ['the image', ({ spec }) => Object.assign(spec.containers[0], { image: 'registry.invalid/app:2' }), true],
    [
      'the image of an init container',
      ({ spec }) => Object.assign(spec.initContainers[0], { image: 'registry.invalid/init:2' }),
      true,
    ],
    ['an annotation', ({ metadata }) => Object.assign(metadata, { annotations: { a: 'b' } }), false],
    ['the generation itself', ({ metadata }) => Object.assign(metadata, { generation: 1 }), false],
  ];
  let generation = 1;
  for (const [what, edit, counts] of rows) {
    const { metadata } = await pods.change('a', edit);
    if (counts) generation++;
    assert.equal(metadata.generation, generation, what);
    await eventually('the node has seen it', async () => (await pods.get('a')).status.observedGeneration === generation);
  }
});

it('[sig-node] Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34] [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  await pods.create({ metadata: { name: 'a' }, spec: { containers, activeDeadlineSeconds: 5000 } });
  await isRunning(pods, 'a');
  for (let n = 1; n < 500; n++) await pods.patch('a', { spec: { activeDeadlineSeconds: 5000 - n } });
  assert.equal((await pods.get('a')).metadata.generation, 500);
  await eventually('the node has seen it', async () => (await pods.get('a')).status.observedGeneration === 500, 30_000);
});

it('[sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const spec = { containers: [{ name: 'app', image: 'stubborn' }] };
  const created = await pods.create({ metadata: { name: 'a', generation: 100 }, spec });
  assert.equal(created.metadata.generation, 1);
  await isRunning(pods, 'a');
  await pods.delete('a', { gracePeriodSeconds: 60 });
  const { metadata } = await pods.get('a');
  assert.deepEqual([metadata.generation, metadata.deletionGracePeriodSeconds], [2, 60]);
  await pods.delete('a', { gracePeriodSeconds: 0 });
  await gone(pods, 'a');
});
