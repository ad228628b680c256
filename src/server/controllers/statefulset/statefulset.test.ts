import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { StatefulSetSpec } from '../../../api/generated/types.ts';
import { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { isActive } from '../support/pods.ts';
import { statefulSetController } from './statefulset.ts';

const key = { namespace: 'ns', name: 'db' };
const template = (image: string) => ({ metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image }] } });

async function create(fake: FakeClient, spec: Partial<StatefulSetSpec> = {}): Promise<void> {
  await fake.create(StatefulSet, {
    metadata: { ...key },
    spec: {
      replicas: 3,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('v1'),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
  });
}

const names = (fake: FakeClient): string[] =>
  fake
    .all(Pod, 'ns')
    .filter(isActive)
    .map((p) => p.metadata.name);
const images = (fake: FakeClient): string[] => fake.all(Pod, 'ns').map((p) => p.spec.containers[0]?.image ?? '');

function runPods(fake: FakeClient): void {
  for (const pod of fake.all(Pod, 'ns')) {
    const podKey = { namespace: 'ns', name: pod.metadata.name };
    if (pod.metadata.deletionTimestamp !== undefined)
      fake.mutate(Pod, podKey, (p) => Object.assign(p.metadata, { deletionGracePeriodSeconds: 0 }));
    else if (pod.status.phase !== 'Running' && pod.spec.containers[0]?.image !== 'broken') {
      fake.mutate(Pod, podKey, (p) => {
        p.spec.nodeName = 'n';
        p.status = {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }],
        };
      });
    }
  }
}

async function rest({ fake, settle }: Bench, watch: () => void = () => {}): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await settle();
    watch();
    runPods(fake);
  }
  await settle();
}

describe('statefulset controller', () => {
  it('creates pods one after the other, each with its name, number and claim', async () => {
    await withControllers([statefulSetController], async (bench) => {
      const { fake, settle } = bench;
      await create(fake, {
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} } as unknown as PersistentVolumeClaim],
      });
      await settle();
      assert.deepEqual(names(fake), ['db-0']);
      await rest(bench);
      assert.deepEqual(names(fake), ['db-0', 'db-1', 'db-2']);
      assert.deepEqual(
        fake.all(PersistentVolumeClaim).map((c) => c.metadata.name),
        ['data-db-0', 'data-db-1', 'data-db-2'],
      );
      const pod = await fake.get(Pod, { namespace: 'ns', name: 'db-1' });
      assert.equal(pod.spec.hostname, 'db-1');
      assert.equal(pod.spec.volumes?.[0]?.persistentVolumeClaim?.claimName, 'data-db-1');
      const { currentRevision, updateRevision, readyReplicas } = (await fake.get(StatefulSet, key)).status;
      assert.equal(currentRevision, updateRevision);
      assert.equal(readyReplicas, 3);
    });
  });

  it('scales down from the highest number, one at a time', async () => {
    await withControllers([statefulSetController], async (bench) => {
      const { fake } = bench;
      await create(fake);
      await rest(bench);
      await fake.patch(StatefulSet, key, { type: 'merge', body: { spec: { replicas: 1 } } });
      const order: string[] = [];
      await rest(bench, () => order.push(names(fake).join(' ')));
      assert.deepEqual([...new Set(order)].slice(-2), ['db-0 db-1', 'db-0']);
    });
  });

  it('scales down no further while pods are not ready; the lowest of these may go', async () => {
    await withControllers([statefulSetController], async (bench) => {
      const { fake, settle } = bench;
      await create(fake);
      await rest(bench);
      const setReady = (name: string, status: 'True' | 'False'): void =>
        void fake.mutate(Pod, { namespace: 'ns', name }, (p) => Object.assign(p.status.conditions![0]!, { status }));
      for (const name of names(fake)) setReady(name, 'False');
      await fake.patch(StatefulSet, key, { type: 'merge', body: { spec: { replicas: 0 } } });
      await settle();
      assert.deepEqual(names(fake), ['db-0', 'db-1', 'db-2']);
      for (const name of ['db-0', 'db-1']) setReady(name, 'True');
      await settle();
      assert.deepEqual(names(fake), ['db-0', 'db-1']);
    });
  });

  it('updates from the highest number, never two at a time, down to the partition', async () => {
    await withControllers([statefulSetController], async (bench) => {
      const { fake } = bench;
      await create(fake, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } });
      await rest(bench);
      await fake.patch(StatefulSet, key, { type: 'merge', body: { spec: { template: template('v2') } } });
      await rest(bench, () => assert.ok(names(fake).length >= 2));
      assert.deepEqual(images(fake), ['v1', 'v2', 'v2']);
      await fake.patch(StatefulSet, key, {
        type: 'merge',
        body: { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } },
      });
      await rest(bench);
      assert.deepEqual(images(fake), ['v2', 'v2', 'v2']);
      const { currentRevision, updateRevision } = (await fake.get(StatefulSet, key)).status;
      assert.equal(currentRevision, updateRevision);
    });
  });

  it('Parallel creates all at once; a failed pod is replaced under its name', async () => {
    await withControllers([statefulSetController], async (bench) => {
      const { fake, settle } = bench;
      await create(fake, { podManagementPolicy: 'Parallel' });
      await settle();
      assert.equal(names(fake).length, 3);
      await rest(bench);
      fake.mutate(Pod, { namespace: 'ns', name: 'db-1' }, (p) => {
        p.status.phase = 'Failed';
      });
      await rest(bench);
      assert.deepEqual(names(fake), ['db-0', 'db-1', 'db-2']);
    });
  });

  it('writes nothing when nothing changes', async () => {
    await withControllers([statefulSetController], async (bench) => {
      await create(bench.fake);
      await rest(bench);
      const before = bench.fake.writes.length;
      await bench.advance(3_600_000);
      assert.equal(bench.fake.writes.length, before);
    });
  });
});
