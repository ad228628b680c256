import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withControllers } from '../../../../test/support/controller-bench.ts';
import { Lease } from '../../../api/kinds/coordination/lease.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { firstFreePiece, parsePool } from './cidr-allocator.ts';
import { nodeIpamController } from './ipam.ts';
import { nodeLifecycleController } from './lifecycle.ts';
import { evictionTimeMs, taintEvictionController } from './taint-eviction.ts';

function seedNode(fake: FakeClient, name: string, ready = 'True'): void {
  fake.seed(Node, {
    metadata: { name },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: ready, lastHeartbeatTime: 't0' }] },
  });
}

function seedPod(fake: FakeClient, node: string): void {
  fake.seed(Pod, {
    metadata: { namespace: 'ns', name: 'p' },
    spec: {
      nodeName: node,
      containers: [],
      tolerations: [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

function beat(fake: FakeClient, node: string, at: number): void {
  const key = { namespace: 'kube-node-lease', name: node };
  const renewTime = new Date(at).toISOString();
  if (fake.all(Lease).some((l) => l.metadata.name === node)) fake.mutate(Lease, key, (l) => Object.assign(l.spec, { renewTime }));
  else fake.seed(Lease, { metadata: key, spec: { renewTime } });
}

const taintKeys = async (fake: FakeClient, name: string) =>
  ((await fake.get(Node, { name })).spec.taints ?? []).map((t) => `${t.key}:${t.effect}`);

describe('node lifecycle', () => {
  it('declares a silent node lost, taints it, and evicts its pods when their patience ends', async () => {
    await withControllers([nodeLifecycleController(), taintEvictionController()], async ({ fake, settle, advance, clock }) => {
      seedNode(fake, 'well');
      seedNode(fake, 'lost');
      seedPod(fake, 'lost');
      await settle();
      for (let i = 0; i < 6; i++) {
        beat(fake, 'well', clock.now());
        await advance(10_000);
      }
      assert.deepEqual(await taintKeys(fake, 'well'), []);
      assert.deepEqual(await taintKeys(fake, 'lost'), [
        'node.kubernetes.io/unreachable:NoSchedule',
        'node.kubernetes.io/unreachable:NoExecute',
      ]);
      const ready = fake.all(Pod)[0]?.status.conditions?.find((c) => c.type === 'Ready');
      assert.equal(ready?.status, 'False');
      for (let i = 0; i < 30; i++) {
        beat(fake, 'well', clock.now());
        await advance(10_000);
      }
      assert.equal(fake.all(Pod).filter((p) => p.metadata.deletionTimestamp === undefined).length, 0);
    });
  });

  it('does not evict when no other node is well', async () => {
    await withControllers([nodeLifecycleController()], async ({ fake, advance, settle }) => {
      seedNode(fake, 'only');
      await settle();
      await advance(60_000);
      assert.deepEqual(await taintKeys(fake, 'only'), ['node.kubernetes.io/unreachable:NoSchedule']);
    });
  });

  it('mirrors conditions and a cordon as taints, and keeps those of others', async () => {
    await withControllers([nodeLifecycleController()], async ({ fake, settle }) => {
      seedNode(fake, 'n', 'False');
      fake.mutate(Node, { name: 'n' }, (n) => {
        n.spec = { unschedulable: true, taints: [{ key: 'mine', effect: 'NoSchedule' }] };
        n.status.conditions?.push({ type: 'DiskPressure', status: 'True' });
      });
      await settle();
      assert.deepEqual(await taintKeys(fake, 'n'), [
        'mine:NoSchedule',
        'node.kubernetes.io/not-ready:NoSchedule',
        'node.kubernetes.io/disk-pressure:NoSchedule',
        'node.kubernetes.io/unschedulable:NoSchedule',
      ]);
    });
  });
});

describe('taint eviction', () => {
  const taint = { key: 'k', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' };
  const added = Date.parse(taint.timeAdded);
  for (const [name, tolerations, expected] of [
    ['at once without toleration', [], 0],
    ['never with an unlimited one', [{ key: 'k', operator: 'Exists' }], undefined],
    [
      'when the shortest ends',
      [
        { operator: 'Exists', tolerationSeconds: 60 },
        { key: 'k', operator: 'Exists', tolerationSeconds: 30 },
      ],
      added + 30_000,
    ],
    ['at once when the toleration is for another effect', [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }], 0],
  ] as const) {
    it(name, () => assert.equal(evictionTimeMs([taint], [...tolerations], 0), expected));
  }
});

describe('node addresses', () => {
  it('gives each node its own block, also when many come at once, and again what became free', async () => {
    const controller = nodeIpamController({ clusterCidrs: ['10.42.0.0/16', 'fd42::/48'] });
    await withControllers([controller], async ({ fake, settle }) => {
      for (const name of ['a', 'b', 'c']) seedNode(fake, name);
      await settle();
      const blocks = fake.all(Node).map((n) => n.spec.podCIDRs);
      assert.deepEqual(blocks, [
        ['10.42.0.0/24', 'fd42::/64'],
        ['10.42.1.0/24', 'fd42:0:0:1::/64'],
        ['10.42.2.0/24', 'fd42:0:0:2::/64'],
      ]);
      await fake.delete(Node, { name: 'b' });
      await settle();
      seedNode(fake, 'd');
      await settle();
      assert.equal((await fake.get(Node, { name: 'd' })).spec.podCIDR, '10.42.1.0/24');
    });
  });

  it('says when all are taken', () => {
    const pool = parsePool('10.0.0.0/24');
    assert.equal(firstFreePiece(pool, new Set()), '10.0.0.0/24');
    assert.equal(firstFreePiece(pool, new Set(['10.0.0.0/24'])), undefined);
    assert.throws(() => parsePool('10.0.0.0'), /not a block of addresses/);
  });
});
