import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, exists, gone, refused } from './support/control-plane.ts';

const nodeNames = ['one', 'two'];
const thing = 'example.com/thing';
const single = 'example.com/single';
const plane = controlPlane(async () => {
  await plane.addNode('one', { capacity: { cpu: '10', [thing]: '5', [single]: '1', 'example.com/cpu': '1k' } });
  await plane.addNode('two', { capacity: { cpu: '10', [thing]: '5' } });
  for (const [name, value] of Object.entries(priorities)) await classes().create({ metadata: { name }, value });
});
const priorities = { low: 1, medium: 100, high: 1000, p1: 1, p2: 2, p3: 3, p4: 4 };
const classes = (): Resource => plane.api.resource('scheduling.k8s.io/v1/priorityclasses');
const nodes = (): Resource => plane.api.resource('v1/nodes');

function pod(name: string, amounts: Readonly<Record<string, string>>, spec: Json = {}, metadata: Json = {}): Json {
  const resources = { requests: amounts, limits: amounts };
  const { ports, ...rest } = spec;
  const container = { name: 'app', image: 'registry.invalid/app:1', resources, ports };
  return { metadata: { name, ...metadata }, spec: { containers: [container], ...rest } };
}

const onNode = (name: string): Json => ({ nodeSelector: { 'kubernetes.io/hostname': name } });
const ofPriority = (priorityClassName: string): Json => ({ priorityClassName });

/** Pods of a namespace of its own, which take nothing from the nodes any more when the test is over. */
async function withPods(test: (pods: Resource) => Promise<void>): Promise<void> {
  const pods = await plane.inNewNamespace('v1/pods');
  try {
    await test(pods);
  } finally {
    await pods.deleteCollection({}, { gracePeriodSeconds: 0 });
    await eventually('the nodes are empty', async () => (await pods.list()).items.length === 0);
  }
}

const isRunning = (pods: Resource, name: string): Promise<string> =>
  eventually(`${name} runs`, async () => {
    const { spec, status } = await pods.get(name);
    return status.phase === 'Running' ? (spec.nodeName as string) : undefined;
  });

const hasNoPlace = (pods: Resource, name: string): Promise<unknown> =>
  eventually(`${name} finds no place`, async () => {
    const { spec, status } = await pods.get(name);
    const condition = status.conditions?.find((each: Json) => each.type === 'PodScheduled');
    assert.deepEqual([spec.nodeName, condition?.status, condition?.reason], [undefined, 'False', 'Unschedulable']);
    return true;
  });

it('[sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]', () =>
  withPods(async (pods) => {
    for (const name of nodeNames) await pods.create(pod(`filler-${name}`, { cpu: '7' }, onNode(name)));
    for (const name of nodeNames) assert.equal(await isRunning(pods, `filler-${name}`), name);
    await pods.create(pod('more', { cpu: '5' }));
    await hasNoPlace(pods, 'more');
    await pods.delete('filler-two', { gracePeriodSeconds: 0 });
    assert.equal(await isRunning(pods, 'more'), 'two');
  }));

it('[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching [Conformance]', () =>
  withPods(async (pods) => {
    await pods.create(pod('a', {}, { nodeSelector: { label: 'nonempty' } }));
    await hasNoPlace(pods, 'a');
  }));

it('[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if matching [Conformance]', () =>
  withPods(async (pods) => {
    await nodes().patch('two', { metadata: { labels: { disk: 'ssd' } } });
    await pods.create(pod('a', {}, { nodeSelector: { disk: 'ssd' } }));
    assert.equal(await isRunning(pods, 'a'), 'two');
    await nodes().patch('two', { metadata: { labels: { disk: null } } });
    assert.equal((await pods.get('a')).status.phase, 'Running');
  }));

it('[sig-scheduling] SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP [Conformance]', () =>
  withPods(async (pods) => {
    const port = (hostIP: string): Json => ({ ports: [{ containerPort: 8080, hostPort: 54_322, protocol: 'TCP', hostIP }] });
    await pods.create(pod('every', {}, { ...onNode('one'), ...port('') }));
    await isRunning(pods, 'every');
    await pods.create(pod('loopback', {}, { ...onNode('one'), ...port('127.0.0.1') }));
    await hasNoPlace(pods, 'loopback');
  }));

/** Two pods on each node that leave one thing; all of medium priority but the first. */
async function fillNodes(pods: Resource): Promise<{ victim: string; others: string[] }> {
  const [victim, ...others] = nodeNames.flatMap((name) => [`${name}-1`, `${name}-2`]) as [string, ...string[]];
  for (const name of [victim, ...others]) {
    const priority = ofPriority(name === victim ? 'low' : 'medium');
    await pods.create(pod(name, { [thing]: '2' }, { ...priority, ...onNode(name.slice(0, -2)) }));
  }
  for (const name of [victim, ...others]) await isRunning(pods, name);
  return { victim, others };
}

const preemptors: readonly (readonly [name: string, priority: string, namespace?: string])[] = [
  ['[sig-scheduling] SchedulerPreemption [Serial] validates basic preemption works [Conformance]', 'high'],
  [
    '[sig-scheduling] SchedulerPreemption [Serial] validates lower priority pod preemption by critical pod [Conformance]',
    'system-cluster-critical',
    'kube-system',
  ],
];

for (const [name, priority, namespace] of preemptors)
  it(name, () =>
    withPods(async (pods) => {
      const { victim, others } = await fillNodes(pods);
      const where = namespace === undefined ? pods : plane.api.resource('v1/pods', namespace);
      await where.create(pod('preemptor', { [thing]: '2' }, ofPriority(priority)));
      assert.equal(await isRunning(where, 'preemptor'), 'one');
      assert.equal(await exists(pods, victim), false);
      for (const other of others) assert.equal((await pods.get(other)).metadata.deletionTimestamp, undefined, other);
      await where.delete('preemptor', { gracePeriodSeconds: 0 });
    }),
  );

it('[sig-scheduling] SchedulerPreemption [Serial] validates pod disruption condition is added to the preempted pod [Conformance]', () =>
  withPods(async (pods) => {
    const victim = pod('victim', { [single]: '1' }, ofPriority('low'), { finalizers: ['example.com/hold'] });
    await pods.create(victim);
    await isRunning(pods, 'victim');
    await pods.create(pod('preemptor', { [single]: '1' }, ofPriority('high')));
    const ending = await eventually('the victim is ending', async () => {
      const each = await pods.get('victim');
      return each.metadata.deletionTimestamp && each;
    });
    const condition = ending.status.conditions.find((each: Json) => each.type === 'DisruptionTarget');
    assert.deepEqual([condition.status, condition.reason], ['True', 'PreemptionByScheduler']);
    await pods.patch('victim', { metadata: { finalizers: null } });
    await isRunning(pods, 'preemptor');
  }));

it('[sig-scheduling] SchedulerPreemption [Serial] PreemptionExecutionPath runs ReplicaSets to verify preemption running path [Conformance]', () =>
  withPods(async (pods) => {
    const cpu = 'example.com/cpu';
    const sets = plane.api.resource('apps/v1/replicasets', pods.namespace);
    const { resourceVersion } = (await pods.list()).metadata;
    const watch = await pods.watch({ resourceVersion });
    for (const [name, amount] of Object.entries({ p1: '200', p2: '300', p3: '450' })) {
      const labels = { of: name };
      const { spec } = pod(name, { [cpu]: amount }, ofPriority(name));
      const template = { metadata: { labels }, spec };
      await sets.create({ metadata: { name }, spec: { replicas: 1, selector: { matchLabels: labels }, template } });
      await eventually(`the pod of ${name} is ready`, async () => (await sets.get(name)).status.readyReplicas === 1);
    }
    await pods.create(pod('preemptor', { [cpu]: '500' }, ofPriority('p4')));
    await isRunning(pods, 'preemptor');
    // Those of p1 and p2 made room; their sets made new ones, for which there is none.
    await eventually('each set has a pod again', async () => (await pods.list({ labelSelector: 'of' })).items.length === 3);
    for (const { metadata } of (await pods.list({ labelSelector: 'of in (p1,p2)' })).items) await hasNoPlace(pods, metadata.name);
    await pods.create(pod('last', {}));
    const seen: Record<string, number> = { p1: 0, p2: 0, p3: 0 };
    await watch.until('the last pod', ({ type, object }) => {
      const of = object.metadata.labels?.of;
      if (type === 'ADDED' && of) seen[of]!++;
      return object.metadata.name === 'last';
    });
    assert.deepEqual(seen, { p1: 2, p2: 2, p3: 1 });
    watch.stop();
    await sets.deleteCollection({});
  }));

it('[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods [Conformance]', async () => {
  const before = await classes().create({ metadata: { name: 'changing' }, value: 7, description: 'old' });
  await refused(classes().patch('changing', { value: 70 }), 422, 'Invalid');
  await refused(classes().update({ ...before, value: 70 }), 422, 'Invalid');
  await classes().patch('changing', { description: 'patched' });
  const updated = await classes().change('changing', (each) => {
    each.description = 'updated';
  });
  assertNewer(updated, before);
  const { items } = await classes().list();
  const listed = items.find((each: Json) => each.metadata.name === 'changing');
  assert.deepEqual([listed.value, listed.description], [7, 'updated']);
});

const taint = { key: 'example.com/evict', value: 'x', effect: 'NoExecute' };
const taintNode = (name: string, taints: readonly Json[]): Promise<Json> => nodes().patch(name, { spec: { taints } });
const tolerating = (tolerationSeconds: number): Json => ({
  tolerations: [{ key: taint.key, operator: 'Equal', value: taint.value, effect: taint.effect, tolerationSeconds }],
});

it('[sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive] [Conformance]', () =>
  withPods(async (pods) => {
    const names = ['short', 'long'];
    for (const [n, name] of names.entries()) await pods.create(pod(name, {}, { ...onNode('one'), ...tolerating(1 + n) }));
    for (const name of names) await isRunning(pods, name);
    await taintNode('one', [taint]);
    await gone(pods, 'short');
    assert.equal((await pods.get('long')).metadata.deletionTimestamp, undefined);
    await gone(pods, 'long');
    await taintNode('one', []);
  }));

it('[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]', () =>
  withPods(async (pods) => {
    await pods.create(pod('spared', {}, { ...onNode('one'), ...tolerating(2) }));
    await pods.create(pod('evicted', {}, { ...onNode('two'), ...tolerating(3) }));
    for (const name of ['spared', 'evicted']) await isRunning(pods, name);
    for (const name of nodeNames) await taintNode(name, [taint]);
    await taintNode('one', []);
    // By then the other's time would have been over as well.
    await gone(pods, 'evicted');
    assert.equal((await pods.get('spared')).metadata.deletionTimestamp, undefined);
    await taintNode('two', []);
  }));
