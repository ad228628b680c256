import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { controlPlane } from './support/control-plane.ts';
import { imageOf, type PretendedNode } from './support/pretended-node.ts';
import type { WatchStream } from './support/watch-stream.ts';

/** `namespace/name` of pods that are not ready, or fail; `namespace/*` for all of a namespace. */
const unready = new Set<string>();
const failing = new Set<string>();
const isIn = (pods: ReadonlySet<string>, { metadata: { namespace, name } }: Json): boolean =>
  pods.has(`${namespace}/*`) || pods.has(`${namespace}/${name}`);

let node: PretendedNode;
const plane = controlPlane(async () => {
  node = await plane.addNode('node', {
    fateOf: (pod) => (isIn(failing, pod) ? { exitCode: 1 } : isIn(unready, pod) ? 'unready' : 'ready'),
  });
});

const statefulSets = 'apps/v1/statefulsets';
const labels = { app: 'db' };
const podsOf = (own: Resource): Resource => plane.api.resource('v1/pods', own.namespace);
const revisionOf = (pod: Json): string => pod.metadata.labels['controller-revision-hash'];

async function make(replicas: number, spec: Json = {}, metadata: Json = {}): Promise<Resource> {
  return makeIn(await plane.inNewNamespace(statefulSets), replicas, spec, metadata);
}

async function makeIn(own: Resource, replicas: number, spec: Json = {}, metadata: Json = {}): Promise<Resource> {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'db', image: 'old' }] } };
  await own.create({
    metadata: { name: 'db', ...metadata },
    spec: { replicas, serviceName: 'db', selector: { matchLabels: labels }, template, ...spec },
  });
  return own;
}

/** The pods in the order of their numbers. */
async function listed(own: Resource): Promise<Json[]> {
  const { items } = await podsOf(own).list();
  return items;
}

const ready = (own: Resource, count: number): Promise<unknown> =>
  eventually(`${count} are ready`, async () => ((await own.get('db')).status.readyReplicas ?? 0) === count, 30_000);

async function setReady(own: Resource, pods: string, is: boolean): Promise<void> {
  if (is) unready.delete(`${own.namespace}/${pods}`);
  else unready.add(`${own.namespace}/${pods}`);
  await node.look();
}

const setImage = (own: Resource, image: string): Promise<Json> =>
  own.change('db', ({ spec }) => {
    spec.template.spec.containers[0].image = image;
  });

/** Waits until the status speaks of the spec as it is. */
const observed = (own: Resource): Promise<Json> =>
  eventually('the spec is seen', async () => {
    const set = await own.get('db');
    return set.status.observedGeneration === set.metadata.generation && set;
  });

async function watchPods(own: Resource): Promise<WatchStream> {
  const { resourceVersion } = (await podsOf(own).list()).metadata;
  return podsOf(own).watch({ resourceVersion });
}

async function expectOrder(watch: WatchStream, type: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { object } = await watch.until(`${type} ${name}`, (event) => event.type === type);
    assert.equal(object.metadata.name, name);
  }
}

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow] [Conformance]', async () => {
  const own = await plane.inNewNamespace(statefulSets);
  const watch = await watchPods(own);
  await makeIn(own, 1);
  await ready(own, 1);
  await setReady(own, '*', false);
  await ready(own, 0);
  await own.patch('db', { spec: { replicas: 3 } });
  await observed(own);
  assert.equal((await listed(own)).length, 1, 'it waits for the first');
  await setReady(own, '*', true);
  await ready(own, 3);
  await expectOrder(watch, 'ADDED', ['db-0', 'db-1', 'db-2']);
  watch.stop();

  const removals = await watchPods(own);
  await setReady(own, '*', false);
  await ready(own, 0);
  await own.patch('db', { spec: { replicas: 0 } });
  await observed(own);
  assert.equal((await listed(own)).filter((pod) => !pod.metadata.deletionTimestamp).length, 3, 'it waits for all');
  await setReady(own, '*', true);
  await expectOrder(removals, 'DELETED', ['db-2', 'db-1', 'db-0']);
  removals.stop();
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow] [Conformance]', async () => {
  const own = await make(1, { podManagementPolicy: 'Parallel' });
  await ready(own, 1);
  await setReady(own, '*', false);
  await ready(own, 0);
  await own.patch('db', { spec: { replicas: 3 } });
  await eventually('three pods', async () => (await listed(own)).length === 3);
  await setReady(own, '*', true);
  await ready(own, 3);
  await setReady(own, '*', false);
  await ready(own, 0);
  await own.patch('db', { spec: { replicas: 0 } });
  await eventually('no pods', async () => (await listed(own)).length === 0);
  await eventually('the status says so', async () => (await own.get('db')).status.replicas === 0);
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset [Conformance]', async () => {
  const own = await plane.inNewNamespace(statefulSets);
  failing.add(`${own.namespace}/db-0`);
  const watch = await watchPods(own);
  await makeIn(own, 1);
  const first = await watch.until('the pod fails', ({ object }) => object.status.phase === 'Failed');
  await watch.until('it is removed', ({ type }) => type === 'DELETED');
  watch.stop();
  failing.clear();
  await eventually(
    'another runs',
    async () => {
      const [pod] = await listed(own);
      return pod?.status.phase === 'Running' && pod.metadata.uid !== first.object.metadata.uid;
    },
    30_000,
  );
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications [Conformance]', async () => {
  const partitioned = (partition: number): Json => ({ type: 'RollingUpdate', rollingUpdate: { partition } });
  const own = await make(3, { updateStrategy: partitioned(3) });
  await ready(own, 3);
  const { currentRevision, updateRevision: first } = (await observed(own)).status;
  assert.equal(currentRevision, first);
  await setImage(own, 'new');
  const { updateRevision } = await eventually('there is a new revision', async () => {
    const { status } = await own.get('db');
    return status.updateRevision !== first && status;
  });
  /** Waits until just the pods from `partition` on are new. */
  const phase = (partition: number): Promise<unknown> =>
    eventually(
      `from ${partition} on they are new`,
      async () => {
        const pods = await listed(own);
        const expected = [0, 1, 2].map((n) => (n < partition ? ['old', currentRevision] : ['new', updateRevision]));
        assert.deepEqual(
          pods.map((pod) => [imageOf(pod), revisionOf(pod)]),
          expected,
        );
        assert.equal((await own.get('db')).status.readyReplicas, 3);
        return true;
      },
      30_000,
    );
  await phase(3);
  await own.patch('db', { spec: { updateStrategy: partitioned(2) } });
  await phase(2);
  // Pods that come back have the revision of their side.
  for (const name of ['db-0', 'db-2']) await podsOf(own).delete(name);
  await phase(2);
  for (const partition of [1, 0]) {
    await own.patch('db', { spec: { updateStrategy: partitioned(partition) } });
    await phase(partition);
  }
  await eventually('the update is complete', async () => (await own.get('db')).status.currentRevision === updateRevision);
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications [Conformance]', async () => {
  const own = await make(3);
  await ready(own, 3);
  const first: string = (await observed(own)).status.currentRevision;
  const rollTo = async (image: string): Promise<Json> => {
    const before = (await own.get('db')).status.currentRevision;
    await setReady(own, 'db-1', false);
    await ready(own, 2);
    await setImage(own, image);
    const during = await observed(own);
    assert.deepEqual([during.status.currentRevision, during.status.updateRevision === before], [before, false]);
    await setReady(own, 'db-1', true);
    return eventually(
      `all are ${image}`,
      async () => {
        const { status } = await own.get('db');
        assert.deepEqual((await listed(own)).map(imageOf), Array(3).fill(image));
        assert.deepEqual([status.currentRevision, status.readyReplicas], [status.updateRevision, 3]);
        for (const pod of await listed(own)) assert.equal(revisionOf(pod), status.updateRevision);
        return status;
      },
      30_000,
    );
  };
  const updated = await rollTo('new');
  assert.notEqual(updated.currentRevision, first);
  const back = await rollTo('old');
  assert.equal(back.currentRevision, first, 'the revision of before is used again');
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]', async () => {
  const own = await make(1);
  await ready(own, 1);
  const scale = await own.get('db', 'scale');
  assert.deepEqual([scale.spec.replicas, scale.status.replicas], [1, 1]);
  const { resourceVersion: _, ...metadata } = scale.metadata;
  assert.equal((await own.update({ ...scale, metadata, spec: { replicas: 2 } }, 'scale')).spec.replicas, 2);
  assert.equal((await own.get('db')).spec.replicas, 2);
  const patched = await own.patch('db', { spec: { replicas: 4 } }, { type: 'strategic', subresource: 'scale' });
  assert.equal(patched.spec.replicas, 4);
  await ready(own, 4);
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets [Conformance]', async () => {
  const own = await make(1, {}, { labels: { test: 'collection' } });
  const ours = { labelSelector: 'test=collection' };
  await ready(own, 1);
  assert.equal((await plane.api.resource(statefulSets).list(ours)).items.length, 1);
  const template = { spec: { containers: [{ name: 'db', image: 'new' }] } };
  const patch = { metadata: { labels: { patched: 'true' } }, spec: { replicas: 2, template } };
  const patched = await own.patch('db', patch, { type: 'strategic' });
  assert.deepEqual([patched.metadata.labels.patched, imageOf(patched.spec.template), patched.spec.replicas], ['true', 'new', 2]);
  await ready(own, 2);
  await own.deleteCollection(ours);
  assert.deepEqual((await own.list(ours)).items, []);
});

it('[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints [Conformance]', async () => {
  const own = await make(1);
  await ready(own, 1);
  assert.equal((await own.get('db', 'status')).status.replicas, 1);
  const condition = { type: 'Updated', status: 'True', reason: 'Test', message: 'set by a test' };
  const edit = ({ status }: Json): void => {
    status.conditions = [...(status.conditions ?? []), condition];
  };
  const updated = await own.change('db', edit, 'status');
  assert.deepEqual(updated.status.conditions, [condition]);
  const patch = { status: { conditions: [{ ...condition, type: 'Patched' }] } };
  const patched = await own.patch('db', patch, { subresource: 'status' });
  assert.deepEqual(patched.status.conditions, [{ ...condition, type: 'Patched' }]);
});
