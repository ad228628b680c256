import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { DeploymentSpec } from '../../../api/generated/types.ts';
import { Deployment } from '../../../api/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { replicaSetController } from '../replicaset/replicaset.ts';
import { isActive } from '../support/pods.ts';
import { deploymentController } from './deployment.ts';

const key = { namespace: 'ns', name: 'web' };
const controllers = [deploymentController, replicaSetController];

function template(image: string): DeploymentSpec['template'] {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } };
}

async function deploy(fake: FakeClient, spec: Partial<DeploymentSpec> = {}): Promise<void> {
  await fake.create(Deployment, {
    metadata: { ...key },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: template('v1'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 2,
      ...spec,
    },
  });
}

/** The agent of the test: pods of images that are not broken become ready, deleted ones go. */
function runPods(fake: FakeClient): void {
  for (const pod of fake.all(Pod, 'ns')) {
    const podKey = { namespace: 'ns', name: pod.metadata.name };
    const broken = pod.spec.containers[0]?.image === 'broken';
    if (isActive(pod) && !broken && pod.status.phase !== 'Running') {
      fake.mutate(Pod, podKey, (p) => {
        p.spec.nodeName = 'n';
        p.status = {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }],
        };
      });
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      fake.mutate(Pod, podKey, (p) => {
        p.metadata.deletionGracePeriodSeconds = 0;
      });
    }
  }
}

/** Runs pods until the rollout rests; `watch` sees every step. */
async function rollOut({ fake, settle }: Bench, watch: () => void = () => {}): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await settle();
    watch();
    runPods(fake);
  }
  await settle();
}

const sizes = (fake: FakeClient): Record<string, number | undefined> =>
  Object.fromEntries(fake.all(ReplicaSet).map((s) => [s.spec.template?.spec?.containers[0]?.image ?? '', s.spec.replicas]));
const set = (fake: FakeClient, spec: Partial<DeploymentSpec>): unknown =>
  fake.patch(Deployment, key, { type: 'merge', body: { spec } });
const status = async (fake: FakeClient) => (await fake.get(Deployment, key)).status;
const condition = async (fake: FakeClient, type: string) => (await status(fake)).conditions?.find((c) => c.type === type);

describe('deployment controller', () => {
  it('rolls out, reports completion, and then rests', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake, advance } = bench;
      await deploy(fake);
      await rollOut(bench);
      const { replicas, updatedReplicas, availableReplicas } = await status(fake);
      assert.deepEqual([replicas, updatedReplicas, availableReplicas], [4, 4, 4]);
      assert.equal((await condition(fake, 'Progressing'))?.reason, 'NewReplicaSetAvailable');
      assert.equal((await condition(fake, 'Available'))?.status, 'True');
      const before = fake.writes.length;
      await advance(24 * 3_600_000);
      assert.equal(fake.writes.length, before);
    });
  });

  it('a rolling update stays within maxSurge and maxUnavailable at every step', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake);
      await rollOut(bench);
      await set(fake, { template: template('v2') });
      await rollOut(bench, () => {
        const active = fake.all(Pod, 'ns').filter(isActive);
        assert.ok(active.length <= 5, `${active.length} pods`);
        const ready = active.filter((p) => p.status.conditions?.[0]?.status === 'True');
        assert.ok(ready.length >= 3, `${ready.length} ready pods`);
      });
      assert.deepEqual(sizes(fake), { v1: 0, v2: 4 });
      assert.equal((await fake.get(Deployment, key)).metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
    });
  });

  it('counts revisions on from whatever there is, exactly', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake);
      await rollOut(bench);
      const [first] = fake.all(ReplicaSet);
      fake.mutate(ReplicaSet, { namespace: 'ns', name: first!.metadata.name }, ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, 'deployment.kubernetes.io/revision': '3546343826724305832' };
      });
      await set(fake, { template: template('v2') });
      await rollOut(bench);
      const revision = (await fake.get(Deployment, key)).metadata.annotations?.['deployment.kubernetes.io/revision'];
      assert.equal(revision, '3546343826724305833');
    });
  });

  it('a rollback gives the old set a new revision, and its history remembers the former', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake);
      await rollOut(bench);
      await set(fake, { template: template('v2') });
      await rollOut(bench);
      await set(fake, { template: template('v1') });
      await rollOut(bench);
      assert.deepEqual(sizes(fake), { v1: 4, v2: 0 });
      const old = fake.all(ReplicaSet).find((s) => s.spec.replicas === 4)?.metadata.annotations;
      assert.equal(old?.['deployment.kubernetes.io/revision'], '3');
      assert.equal(old?.['deployment.kubernetes.io/revision-history'], '1');
    });
  });

  it('a broken update stops, and is called stuck after the deadline', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake, advance } = bench;
      await deploy(fake);
      await rollOut(bench);
      await set(fake, { template: template('broken') });
      await rollOut(bench);
      assert.deepEqual(sizes(fake), { v1: 3, broken: 2 });
      await advance(605_000);
      assert.equal((await condition(fake, 'Progressing'))?.reason, 'ProgressDeadlineExceeded');
    });
  });

  it('scales in proportion in the middle of an update', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake);
      await rollOut(bench);
      await set(fake, { template: template('broken') });
      await rollOut(bench);
      await set(fake, { replicas: 8 });
      await rollOut(bench);
      const now = sizes(fake);
      assert.ok((now['v1'] ?? 0) >= 5 && (now['broken'] ?? 0) > 2, JSON.stringify(now));
      assert.ok((now['v1'] ?? 0) + (now['broken'] ?? 0) <= 9, JSON.stringify(now));
    });
  });

  it('Recreate ends all old pods before the first new one', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake, { strategy: { type: 'Recreate' } });
      await rollOut(bench);
      await set(fake, { template: template('v2') });
      await rollOut(bench, () => {
        const images = new Set(fake.all(Pod, 'ns').map((p) => p.spec.containers[0]?.image));
        assert.equal(images.size <= 1, true, [...images].join());
      });
      assert.deepEqual(sizes(fake), { v1: 0, v2: 4 });
    });
  });

  it('a paused deployment scales but does not roll out', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake);
      await rollOut(bench);
      await set(fake, { paused: true, template: template('v2'), replicas: 6 });
      await rollOut(bench);
      assert.deepEqual(sizes(fake), { v1: 6 });
      assert.equal((await condition(fake, 'Progressing'))?.reason, 'DeploymentPaused');
      await set(fake, { paused: false });
      await rollOut(bench);
      assert.deepEqual(sizes(fake), { v1: 0, v2: 6 });
    });
  });

  it('forgets the oldest revisions beyond the limit', async () => {
    await withControllers(controllers, async (bench) => {
      const { fake } = bench;
      await deploy(fake, { revisionHistoryLimit: 1 });
      for (const image of ['v1', 'v2', 'v3', 'v4']) {
        await set(fake, { template: template(image) });
        await rollOut(bench);
      }
      assert.deepEqual(sizes(fake), { v3: 0, v4: 4 });
    });
  });
});
