import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, createBench } from '../../../test/support/controller-bench.ts';
import { quietTurns } from '../../../test/support/settle.ts';
import type { PodSpec, Taint } from '../../api/generated/types.ts';
import { Event } from '../../api/kinds/core/event.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { StorageClass } from '../../api/kinds/storage/storage-class.ts';
import type { FakeClient } from '../../client/fake-client.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import { createScheduler } from './scheduler.ts';

function bindingPost(fake: FakeClient): void {
  fake.posts.set('binding', (_fake, _kind, key, body) => {
    const { target } = body as { target: { name: string } };
    fake.mutate(Pod, key, (pod) => {
      pod.spec.nodeName = target.name;
    });
    return {};
  });
}

async function withScheduler(test: (bench: Bench & { metrics: MetricRegistry }) => Promise<void>): Promise<void> {
  const bench = createBench();
  const metrics = new MetricRegistry();
  bindingPost(bench.fake);
  try {
    await bench.start(createScheduler({ ...bench, client: bench.fake, random: () => 0, metrics }));
    await test({ ...bench, metrics });
  } finally {
    await bench.stop();
  }
}

function addNode(
  fake: FakeClient,
  name: string,
  options: { cpu?: string; labels?: Record<string, string>; taints?: Taint[]; unschedulable?: boolean } = {},
): void {
  const { cpu = '4', labels = {}, taints, unschedulable } = options;
  fake.seed(Node, {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints ? { taints } : {}), ...(unschedulable ? { unschedulable } : {}) },
    status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
  });
}

function addPod(fake: FakeClient, name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): void {
  fake.seed(Pod, {
    metadata: { namespace: 'ns', name, labels },
    spec: { schedulerName: 'default-scheduler', containers: [{ name: 'c', image: 'i' }], ...spec },
    status: { phase: 'Pending' },
  });
}

const cpu = (amount: string): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: amount } } }],
});
const nodeOf = async (fake: FakeClient, name: string) => (await fake.get(Pod, { namespace: 'ns', name })).spec.nodeName;

describe('scheduler', () => {
  it('binds pods, spreads by free room, and says so', async () => {
    await withScheduler(async ({ fake, settle, events }) => {
      addNode(fake, 'a');
      addNode(fake, 'b');
      for (const name of ['p1', 'p2']) addPod(fake, name, cpu('1'));
      await settle();
      assert.deepEqual(new Set([await nodeOf(fake, 'p1'), await nodeOf(fake, 'p2')]), new Set(['a', 'b']));
      await events.flush();
      assert.ok(
        fake
          .all(Event)
          .some((e) => e.message === 'Successfully assigned ns/p1 to a' || e.message === 'Successfully assigned ns/p1 to b'),
      );
    });
  });

  it('counts attempts and what waits', async () => {
    await withScheduler(async ({ fake, settle, metrics }) => {
      addNode(fake, 'a', { cpu: '1' });
      for (const name of ['p1', 'p2']) addPod(fake, name, cpu('1'));
      await settle();
      const shown = metrics.render();
      for (const line of [
        'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1',
        'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 1',
        'scheduler_scheduling_attempt_duration_seconds_count{profile="default-scheduler",result="scheduled"} 1',
        'scheduler_scheduling_algorithm_duration_seconds_count 2',
        'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"} 1',
        'scheduler_pod_scheduling_attempts_sum 1',
        'scheduler_preemption_attempts_total 1',
        'scheduler_pending_pods{queue="active"} 0',
        'scheduler_pending_pods{queue="unschedulable"} 1',
      ])
        assert.ok(shown.includes(`${line}\n`), `${line} in\n${shown}`);
    });
  });

  it('keeps replicas of one controller apart, also on a node with much more room', async () => {
    await withScheduler(async ({ fake, settle }) => {
      for (const [name, room] of [
        ['a', '4'],
        ['b', '4'],
        ['c', '64'],
      ] as const)
        addNode(fake, name, { cpu: room });
      for (const name of ['p1', 'p2', 'p3']) {
        fake.seed(Pod, {
          metadata: {
            namespace: 'ns',
            name,
            ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web-uid', controller: true }],
          },
          spec: { schedulerName: 'default-scheduler', ...cpu('1') } as PodSpec,
          status: { phase: 'Pending' },
        });
      }
      await settle();
      const nodes = await Promise.all(['p1', 'p2', 'p3'].map((name) => nodeOf(fake, name)));
      assert.deepEqual(nodes.toSorted(), ['a', 'b', 'c']);
    });
  });

  it('explains why a pod fits nowhere, and binds it when room appears', async () => {
    await withScheduler(async ({ fake, settle, advance }) => {
      addNode(fake, 'a', { cpu: '1' });
      addNode(fake, 'b', { taints: [{ key: 'k', effect: 'NoSchedule' }] });
      addNode(fake, 'c', { unschedulable: true });
      addPod(fake, 'p', cpu('2'));
      await settle();
      const condition = (await fake.get(Pod, { namespace: 'ns', name: 'p' })).status.conditions?.[0];
      assert.equal(condition?.reason, 'Unschedulable');
      assert.equal(
        condition?.message,
        '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. ' +
          'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
      );
      addNode(fake, 'd');
      await advance(1000);
      assert.equal(await nodeOf(fake, 'p'), 'd');
    });
  });

  it('says when there is no node at all', async () => {
    await withScheduler(async ({ fake, settle }) => {
      addPod(fake, 'p');
      await settle();
      const condition = (await fake.get(Pod, { namespace: 'ns', name: 'p' })).status.conditions?.[0];
      assert.equal(condition?.message, 'no nodes available to schedule pods');
    });
  });

  it('tells of pods that wait few at a time, with rests, of all in the end, and binds others meanwhile', async () => {
    await withScheduler(async ({ fake, settle, advance }) => {
      addNode(fake, 'a');
      const held: (() => void)[] = [];
      let [atOnce, most] = [0, 0];
      fake.intercept = async ({ verb, subresource }) => {
        if (verb !== 'update' || subresource !== 'status') return;
        most = Math.max(most, ++atOnce);
        await new Promise<void>((resolve) => held.push(resolve));
        atOnce--;
      };
      for (let i = 0; i < 20; i++) addPod(fake, `large-${i}`, cpu('5'));
      addPod(fake, 'small', cpu('1'));
      // One pod is decided on in each turn, and what is written is held.
      for (let turns = 0; turns < 24; turns += quietTurns) await settle();
      const boundWhileHeld = await nodeOf(fake, 'small');
      while (held.length > 0) {
        for (const release of held.splice(0)) release();
        await settle();
        assert.equal(held.length, 0);
        await advance(100);
      }
      assert.equal(boundWhileHeld, 'a');
      assert.equal(most, 4);
      const told = fake.all(Pod).filter(({ status }) => status.conditions?.[0]?.reason === 'Unschedulable');
      assert.equal(told.length, 20);
    });
  });

  it('preempts the cheapest pods of lower priority, then takes their room', async () => {
    await withScheduler(async ({ fake, settle, advance }) => {
      addNode(fake, 'a', { cpu: '2' });
      addNode(fake, 'b', { cpu: '2' });
      addPod(fake, 'low', { ...cpu('2'), nodeName: 'a', priority: 1 });
      addPod(fake, 'mid', { ...cpu('2'), nodeName: 'b', priority: 5 });
      await settle();
      addPod(fake, 'high', { ...cpu('1'), priority: 10 });
      await settle();
      await advance(2000);
      assert.equal(await nodeOf(fake, 'high'), 'a');
      assert.deepEqual(
        fake.all(Pod, 'ns').map((p) => p.metadata.name),
        ['high', 'mid'],
      );
    });
  });

  it('obeys required pod anti-affinity between pods that arrive together', async () => {
    await withScheduler(async ({ fake, settle }) => {
      addNode(fake, 'a');
      addNode(fake, 'b');
      const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } };
      const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
      for (const name of ['p1', 'p2', 'p3']) addPod(fake, name, { affinity }, { app: 'x' });
      await settle();
      const nodes = await Promise.all(['p1', 'p2', 'p3'].map((name) => nodeOf(fake, name)));
      assert.deepEqual(new Set(nodes), new Set(['a', 'b', undefined]));
    });
  });

  it('tries again after a failed binding, without giving the room away twice', async () => {
    await withScheduler(async ({ fake, settle, advance }) => {
      addNode(fake, 'a');
      let fail = true;
      fake.intercept = ({ verb }) => {
        if (verb === 'post' && fail) throw new Error('the server is gone');
      };
      addPod(fake, 'p', cpu('3'));
      await settle();
      assert.equal(await nodeOf(fake, 'p'), undefined);
      fail = false;
      await advance(1000);
      assert.equal(await nodeOf(fake, 'p'), 'a');
    });
  });

  it('takes a local volume that exists, and goes where it is', async () => {
    await withScheduler(async ({ fake, settle }) => {
      for (const name of ['a', 'b']) addNode(fake, name);
      fake.seed(StorageClass, {
        metadata: { name: 'local' },
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode: 'WaitForFirstConsumer',
      });
      const required = {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['b'] }] }],
      };
      const capacity = { storage: '1Gi' };
      fake.seed(PersistentVolume, {
        metadata: { name: 'v' },
        spec: { capacity, storageClassName: 'local', nodeAffinity: { required } },
        status: { phase: 'Available' },
      });
      const claim = { namespace: 'ns', name: 'c' };
      fake.seed(PersistentVolumeClaim, { metadata: claim, spec: { storageClassName: 'local' }, status: { phase: 'Pending' } });
      addPod(fake, 'p', { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] });
      await settle();
      assert.equal((await fake.get(PersistentVolume, { name: 'v' })).spec.claimRef?.name, 'c');
      assert.equal(await nodeOf(fake, 'p'), undefined);
      fake.mutate(PersistentVolumeClaim, claim, (c) => {
        c.spec.volumeName = 'v';
        c.status.phase = 'Bound';
      });
      await settle();
      assert.equal(await nodeOf(fake, 'p'), 'b');
    });
  });

  it('writes nothing while nothing changes', async () => {
    await withScheduler(async ({ fake, settle }) => {
      addNode(fake, 'a');
      addPod(fake, 'p');
      await settle();
      const before = fake.writes.length;
      fake.mutate(Node, { name: 'a' }, (n) => {
        n.status.conditions = [{ type: 'Ready', status: 'True' }];
      });
      await settle();
      assert.equal(fake.writes.length, before);
    });
  });
});
