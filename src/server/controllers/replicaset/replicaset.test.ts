import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withControllers } from '../../../../test/support/controller-bench.ts';
import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { NewObject } from '../../../api/meta.ts';
import { forbidden } from '../../../api/status-error.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { replicaSetController } from './replicaset.ts';

const key = { namespace: 'ns', name: 'web' };
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };

function replicaSet(replicas: number): NewObject<ReplicaSet> {
  return { metadata: { ...key }, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template } };
}

function makeReady(fake: FakeClient, since: number): void {
  for (const pod of fake.all(Pod, 'ns')) {
    fake.mutate(Pod, { namespace: 'ns', name: pod.metadata.name }, (p) => {
      p.spec.nodeName = 'n1';
      p.status = {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(since).toISOString() }],
      };
    });
  }
}

describe('replicaset controller', () => {
  it('creates the missing pods once, however late the cache is', async () => {
    await withControllers([replicaSetController], async ({ fake, settle }) => {
      const late: (() => void)[] = [];
      fake.watchDelay = () => new Promise((resolve) => late.push(resolve));
      await fake.create(ReplicaSet, replicaSet(5));
      for (let i = 0; i < 30; i++) {
        await settle();
        late.shift()?.();
      }
      assert.equal(fake.all(Pod, 'ns').length, 5);
      assert.equal(fake.writes.filter((w) => w.startsWith('create pods')).length, 5);
    });
  });

  it('reports ready and available pods, the latter after minReadySeconds', async () => {
    await withControllers([replicaSetController], async ({ fake, settle, advance, clock }) => {
      const wanted = replicaSet(2);
      await fake.create(ReplicaSet, { ...wanted, spec: { ...wanted.spec, minReadySeconds: 30 } });
      await settle();
      makeReady(fake, clock.now());
      await settle();
      const status = async () => (await fake.get(ReplicaSet, key)).status;
      assert.deepEqual([(await status()).readyReplicas, (await status()).availableReplicas], [2, 0]);
      await advance(30_000);
      assert.equal((await status()).availableReplicas, 2);
    });
  });

  it('scales down the pods that matter least', async () => {
    await withControllers([replicaSetController], async ({ fake, settle, clock }) => {
      await fake.create(ReplicaSet, replicaSet(3));
      await settle();
      makeReady(fake, clock.now() - 60_000);
      const [keep] = fake.all(Pod, 'ns');
      for (const pod of fake.all(Pod, 'ns').slice(1)) {
        fake.mutate(Pod, { namespace: 'ns', name: pod.metadata.name }, (p) => {
          p.status.conditions = [{ type: 'Ready', status: 'False' }];
        });
      }
      await fake.patch(ReplicaSet, key, { type: 'merge', body: { spec: { replicas: 1 } } });
      await settle();
      const left = fake.all(Pod, 'ns').filter((p) => p.metadata.deletionTimestamp === undefined);
      assert.deepEqual(
        left.map((p) => p.metadata.name),
        [keep?.metadata.name],
      );
    });
  });

  it('adopts an orphan that matches and releases a pod that no longer does', async () => {
    await withControllers([replicaSetController], async ({ fake, settle }) => {
      fake.seed(Pod, { metadata: { namespace: 'ns', name: 'orphan', labels: { app: 'web' } }, spec: template.spec, status: {} });
      await fake.create(ReplicaSet, replicaSet(1));
      await settle();
      assert.deepEqual(
        fake.all(Pod, 'ns').map((p) => [p.metadata.name, p.metadata.ownerReferences?.[0]?.name]),
        [['orphan', 'web']],
      );
      fake.mutate(Pod, { namespace: 'ns', name: 'orphan' }, (p) => {
        p.metadata.labels = { app: 'other' };
      });
      await settle();
      assert.equal((await fake.get(Pod, { namespace: 'ns', name: 'orphan' })).metadata.ownerReferences, undefined);
      assert.equal(fake.all(Pod, 'ns').length, 2);
    });
  });

  it('tries one pod first when creation is refused, says so, and recovers', async () => {
    await withControllers([replicaSetController], async ({ fake, settle, advance }) => {
      let tries = 0;
      fake.intercept = ({ verb, kind }) => {
        if (verb !== 'create' || kind.kind !== 'Pod') return;
        tries++;
        throw forbidden(Pod, `web-${tries}`, 'exceeded quota');
      };
      await fake.create(ReplicaSet, replicaSet(10));
      await settle();
      const failure = (await fake.get(ReplicaSet, key)).status.conditions?.[0];
      assert.equal(failure?.type, 'ReplicaFailure');
      assert.equal(failure?.reason, 'FailedCreate');
      assert.ok(tries <= 2, `${tries} tries`);
      const triesBefore = tries;
      await advance(1000);
      assert.ok(tries > triesBefore, 'it tries again');
      const statusWrites = fake.writes.filter((write) => write.startsWith('update replicasets.apps/status'));
      assert.equal(statusWrites.length, 1, 'the message of each failure names another pod');
      fake.intercept = undefined;
      await advance(1000);
      assert.equal(fake.all(Pod, 'ns').length, 10);
      assert.equal((await fake.get(ReplicaSet, key)).status.conditions, undefined);
    });
  });

  it('writes nothing when nothing changes', async () => {
    await withControllers([replicaSetController], async ({ fake, settle, advance }) => {
      await fake.create(ReplicaSet, replicaSet(3));
      await settle();
      const before = fake.writes.length;
      await advance(3_600_000);
      assert.equal(fake.writes.length, before);
    });
  });
});
