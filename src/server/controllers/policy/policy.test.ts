import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, createBench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { PodDisruptionBudgetSpec } from '../../../api/generated/types.ts';
import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../../api/kinds/core/resource-quota.ts';
import { PodDisruptionBudget } from '../../../api/kinds/policy/pod-disruption-budget.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { createController } from '../../../reconcile/controller.ts';
import { createMetadataWatch } from '../../../reconcile/metadata-watch.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation.ts';
import { disruptionController } from './disruption.ts';
import { resourceQuotaController } from './resource-quota.ts';

const labels = { app: 'web' };

function seedPods(fake: FakeClient, ready: number, total: number): void {
  const set = fake.seed(ReplicaSet, {
    metadata: { namespace: 'ns', name: 'web' },
    spec: { replicas: total, selector: { matchLabels: labels } },
    status: { replicas: 0 },
  });
  for (let i = 0; i < total; i++) {
    fake.seed(Pod, {
      metadata: { namespace: 'ns', name: `p${i}`, labels, ownerReferences: [controllerReference(ReplicaSet, set)] },
      spec: { containers: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: i < ready ? 'True' : 'False' }] },
    });
  }
}

describe('disruption controller', () => {
  for (const [title, spec, ready, expected] of [
    ['minAvailable 2 of 4 ready', { minAvailable: 2 }, 4, 2],
    ['minAvailable 50 %, one not ready', { minAvailable: '50%' }, 3, 1],
    ['maxUnavailable 1, all ready', { maxUnavailable: 1 }, 4, 1],
    ['maxUnavailable 1, one not ready', { maxUnavailable: 1 }, 3, 0],
    ['minAvailable 5 of 4', { minAvailable: 5 }, 4, 0],
  ] as readonly [string, PodDisruptionBudgetSpec, number, number][]) {
    it(`${title}: ${expected} may go`, async () => {
      await withControllers([disruptionController], async ({ fake, settle }) => {
        seedPods(fake, ready, 4);
        fake.seed(PodDisruptionBudget, {
          metadata: { namespace: 'ns', name: 'b' },
          spec: { ...spec, selector: { matchLabels: labels } },
          status: {},
        });
        await settle();
        const { status } = await fake.get(PodDisruptionBudget, { namespace: 'ns', name: 'b' });
        assert.equal(status.disruptionsAllowed, expected);
        assert.equal(status.conditions?.[0]?.status, expected > 0 ? 'True' : 'False');
      });
    });
  }

  it('an allowed eviction counts until its pod is gone or two minutes have passed', async () => {
    await withControllers([disruptionController], async ({ fake, settle, advance, clock }) => {
      seedPods(fake, 3, 3);
      const disruptedPods = { p0: new Date(clock.now()).toISOString() };
      const spec = { maxUnavailable: 1, selector: { matchLabels: labels } };
      fake.seed(PodDisruptionBudget, { metadata: { namespace: 'ns', name: 'b' }, spec, status: { disruptedPods } });
      await settle();
      const allowed = async () => (await fake.get(PodDisruptionBudget, { namespace: 'ns', name: 'b' })).status.disruptionsAllowed;
      assert.equal(await allowed(), 0);
      await advance(121_000);
      assert.equal(await allowed(), 1);
    });
  });
});

describe('resource quota controller', () => {
  const key = { namespace: 'ns', name: 'q' };

  /** A pod and a ConfigMap in a namespace whose quota counts both. */
  async function withQuota(test: (bench: Bench, used: () => Promise<unknown>) => Promise<void>): Promise<void> {
    const bench = createBench();
    const { fake } = bench;
    try {
      fake.seed(ConfigMap, { metadata: { namespace: 'ns', name: 'c' } });
      fake.seed(Pod, {
        metadata: { namespace: 'ns', name: 'p' },
        spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '250m' } } }] },
        status: { phase: 'Running' },
      });
      fake.seed(ResourceQuota, {
        metadata: key,
        spec: { hard: { pods: '5', 'requests.cpu': '1', 'count/configmaps': '3' } },
        status: {},
      });
      const metadata = createMetadataWatch({ ...bench, client: fake });
      await bench.start(metadata);
      await bench.start(createController(resourceQuotaController({ metadata }), { ...bench, client: fake }));
      await test(bench, async () => (await fake.get(ResourceQuota, key)).status.used);
    } finally {
      await bench.stop();
    }
  }

  it('counts what is there, and gives back what has gone', () =>
    withQuota(async ({ fake, settle }, used) => {
      assert.deepEqual(await used(), { pods: '1', 'requests.cpu': '250m', 'count/configmaps': '1' });
      await fake.delete(Pod, { namespace: 'ns', name: 'p' });
      await settle();
      assert.deepEqual(await used(), { pods: '0', 'requests.cpu': '0', 'count/configmaps': '1' });
      await fake.delete(ConfigMap, { namespace: 'ns', name: 'c' });
      await settle();
      assert.deepEqual(await used(), { pods: '0', 'requests.cpu': '0', 'count/configmaps': '0' });
    }));

  it('leaves a charge alone until what it is for must have been stored', () =>
    withQuota(async ({ fake, settle, advance }, used) => {
      const charged = { pods: '3', 'requests.cpu': '750m', 'count/configmaps': '1' };
      fake.mutate(ResourceQuota, key, ({ status }) => Object.assign(status, { used: charged }));
      await settle();
      assert.deepEqual(await used(), charged);
      fake.seed(Pod, { metadata: { namespace: 'ns', name: 'p2' }, spec: { containers: [] }, status: { phase: 'Running' } });
      await settle();
      assert.deepEqual(await used(), charged, 'a pod that comes says nothing of the other that was charged');
      await advance(10_000);
      assert.deepEqual(await used(), { pods: '2', 'requests.cpu': '250m', 'count/configmaps': '1' });
    }));

  it('follows a claim through its attributes classes', () =>
    withQuota(async ({ fake, settle }) => {
      const claimKey = { namespace: 'ns', name: 'claim' };
      fake.seed(PersistentVolumeClaim, {
        metadata: claimKey,
        spec: { volumeAttributesClassName: 'silver', resources: { requests: { storage: '1Gi' } } },
        status: { phase: 'Bound', currentVolumeAttributesClassName: 'gold' },
      });
      const scopes = { gold: ['In', ['gold']], silver: ['In', ['silver']], bare: ['DoesNotExist'] } as const;
      for (const [name, [operator, values = []]] of Object.entries(scopes))
        fake.seed(ResourceQuota, {
          metadata: { namespace: 'ns', name },
          spec: {
            hard: { persistentvolumeclaims: '1' },
            scopeSelector: { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator, values: [...values] }] },
          },
          status: {},
        });
      await settle();
      const counts = async () => {
        const quotas = await Promise.all(Object.keys(scopes).map((name) => fake.get(ResourceQuota, { namespace: 'ns', name })));
        return quotas.map(({ status }) => status.used?.['persistentvolumeclaims']);
      };
      const become = async (spec: string | undefined, status: PersistentVolumeClaim['status']) => {
        fake.mutate(PersistentVolumeClaim, claimKey, (claim) => {
          if (spec === undefined) delete claim.spec.volumeAttributesClassName;
          claim.status = { phase: 'Bound', ...status };
        });
        await settle();
        return counts();
      };
      assert.deepEqual(await counts(), ['1', '1', '0']);
      assert.deepEqual(await become('silver', { currentVolumeAttributesClassName: 'silver' }), ['0', '1', '0']);
      const modifyVolumeStatus = { status: 'InProgress', targetVolumeAttributesClassName: 'gold' };
      assert.deepEqual(await become(undefined, { modifyVolumeStatus }), ['1', '0', '0']);
      assert.deepEqual(await become(undefined, {}), ['0', '0', '1']);
    }));

  it('puts right what somebody else wrote about the limits', () =>
    withQuota(async ({ fake, settle }) => {
      fake.mutate(ResourceQuota, key, ({ status }) => Object.assign(status, { hard: { pods: '99' } }));
      await settle();
      const { spec, status } = await fake.get(ResourceQuota, key);
      assert.deepEqual(status.hard, spec.hard);
    }));
});

describe('cluster role aggregation', () => {
  it('collects the rules of roles by label', async () => {
    await withControllers([clusterRoleAggregationController], async ({ fake, settle }) => {
      const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
      fake.seed(ClusterRole, {
        metadata: { name: 'view' },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'view' } }] },
        rules: [],
      });
      fake.seed(ClusterRole, { metadata: { name: 'b', labels: { to: 'view' } }, rules: [rule('pods'), rule('secrets')] });
      fake.seed(ClusterRole, { metadata: { name: 'a', labels: { to: 'view' } }, rules: [rule('pods')] });
      await settle();
      const view = await fake.get(ClusterRole, { name: 'view' });
      assert.deepEqual(
        view.rules?.map((r) => r.resources?.[0]),
        ['pods', 'secrets'],
      );
    });
  });
});
