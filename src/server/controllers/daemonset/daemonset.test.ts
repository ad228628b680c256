import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { DaemonSetSpec, NodeSpec } from '../../../api/generated/types.ts';
import { DaemonSet } from '../../../api/kinds/apps/daemon-set.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { isActive } from '../support/pods.ts';
import { daemonSetController } from './daemonset.ts';
import { nodeOf } from './nodes.ts';

const key = { namespace: 'ns', name: 'log' };
const template = (image: string) => ({ metadata: { labels: { app: 'log' } }, spec: { containers: [{ name: 'c', image }] } });

function addNode(fake: FakeClient, name: string, spec: NodeSpec = {}): void {
  fake.seed(Node, { metadata: { name, labels: {} }, spec, status: {} });
}

async function create(fake: FakeClient, spec: Partial<DaemonSetSpec> = {}): Promise<void> {
  await fake.create(DaemonSet, {
    metadata: { ...key },
    spec: {
      selector: { matchLabels: { app: 'log' } },
      template: template('v1'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...spec,
    },
  });
}

const live = (fake: FakeClient): Pod[] => fake.all(Pod, 'ns').filter(isActive);
const nodes = (fake: FakeClient): string[] =>
  live(fake)
    .map((p) => nodeOf(p) ?? '')
    .sort();

function runPods(fake: FakeClient): void {
  for (const pod of fake.all(Pod, 'ns')) {
    fake.mutate(Pod, { namespace: 'ns', name: pod.metadata.name }, (p) => {
      if (p.metadata.deletionTimestamp !== undefined) p.metadata.deletionGracePeriodSeconds = 0;
      p.spec.nodeName ??= nodeOf(p) ?? '';
      p.status = {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }],
      };
    });
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

describe('daemonset controller', () => {
  it('runs one pod on every node that wants it, new nodes too, and on cordoned ones', async () => {
    await withControllers([daemonSetController], async (bench) => {
      const { fake } = bench;
      addNode(fake, 'a');
      addNode(fake, 'cordoned', {
        unschedulable: true,
        taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
      });
      addNode(fake, 'tainted', { taints: [{ key: 'own', effect: 'NoSchedule' }] });
      await create(fake);
      await rest(bench);
      assert.deepEqual(nodes(fake), ['a', 'cordoned']);
      addNode(fake, 'b');
      await rest(bench);
      assert.deepEqual(nodes(fake), ['a', 'b', 'cordoned']);
      const { desiredNumberScheduled, numberReady, numberMisscheduled } = (await fake.get(DaemonSet, key)).status;
      assert.deepEqual([desiredNumberScheduled, numberReady, numberMisscheduled], [3, 3, 0]);
    });
  });

  it('updates one node at a time', async () => {
    await withControllers([daemonSetController], async (bench) => {
      const { fake } = bench;
      for (const name of ['a', 'b', 'c']) addNode(fake, name);
      await create(fake);
      await rest(bench);
      await fake.patch(DaemonSet, key, { type: 'merge', body: { spec: { template: template('v2') } } });
      await rest(bench, () => {
        const serving = live(fake).filter((p) => p.status.phase === 'Running').length;
        assert.ok(serving >= 2, `${serving} serving`);
      });
      assert.deepEqual(
        live(fake).map((p) => p.spec.containers[0]?.image),
        ['v2', 'v2', 'v2'],
      );
    });
  });

  it('with surge the new pod is there before the old one goes', async () => {
    await withControllers([daemonSetController], async (bench) => {
      const { fake } = bench;
      for (const name of ['a', 'b']) addNode(fake, name);
      await create(fake, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
      await rest(bench);
      await fake.patch(DaemonSet, key, { type: 'merge', body: { spec: { template: template('v2') } } });
      await rest(bench, () => {
        const serving = new Set(
          live(fake)
            .filter((p) => p.status.phase === 'Running')
            .map(nodeOf),
        );
        assert.equal(serving.size, 2);
      });
      assert.deepEqual(
        live(fake).map((p) => p.spec.containers[0]?.image),
        ['v2', 'v2'],
      );
    });
  });

  it('leaves a node that is tainted NoExecute or gone', async () => {
    await withControllers([daemonSetController], async (bench) => {
      const { fake } = bench;
      for (const name of ['a', 'b', 'c']) addNode(fake, name);
      await create(fake);
      await rest(bench);
      fake.mutate(Node, { name: 'a' }, (n) => Object.assign(n.spec, { taints: [{ key: 'own', effect: 'NoExecute' }] }));
      await fake.delete(Node, { name: 'b' });
      await rest(bench);
      assert.deepEqual(nodes(fake), ['c']);
      const before = fake.writes.length;
      await bench.advance(3_600_000);
      assert.equal(fake.writes.length, before);
    });
  });
});
