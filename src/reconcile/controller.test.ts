import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withControllers } from '../../test/support/controller-bench.ts';
import { ConfigMap } from '../api/kinds/core/config-map.ts';
import { Secret } from '../api/kinds/core/secret.ts';
import { defineController, identityOf } from './controller.ts';
import { controllerReference } from './owners.ts';
import { mapped, ownedBy, primary } from './watches.ts';

const config = (name: string) => ({ metadata: { namespace: 'ns', name } });

describe('controller harness', () => {
  it('maps objects of other kinds, their former state too, to keys', async () => {
    const seen: string[] = [];
    const controller = defineController({
      name: 'test',
      watches: [
        primary(ConfigMap),
        ownedBy(Secret, ConfigMap),
        mapped(Secret, (s) => (s.data?.['for'] ? [`ns/${s.data['for']}`] : [])),
      ],
      reconcile: async (key) => void seen.push(key),
    });
    await withControllers([controller], async ({ fake, settle }) => {
      const owner = fake.seed(ConfigMap, config('owner'));
      fake.seed(Secret, { metadata: { namespace: 'ns', name: 's', ownerReferences: [controllerReference(ConfigMap, owner)] } });
      await settle();
      assert.deepEqual([...new Set(seen)], ['ns/owner']);
      fake.seed(Secret, { metadata: { namespace: 'ns', name: 't' }, data: { for: 'a' } });
      await settle();
      seen.length = 0;
      fake.mutate(Secret, { namespace: 'ns', name: 't' }, (s) => {
        s.data = { for: 'b' };
      });
      await settle();
      assert.deepEqual(seen.sort(), ['ns/a', 'ns/b']);
    });
  });

  it('does not reconcile a key before its own writes are seen, deletions too', async () => {
    let runs = 0;
    const controller = defineController({
      name: 'test',
      watches: [primary(ConfigMap)],
      async reconcile(key, { client, informer }) {
        runs++;
        const object = informer(ConfigMap).get(key);
        if (object && !object.data?.['done']) await client.update(ConfigMap, { ...object, data: { done: 'yes' } });
        else if (object) await client.delete(ConfigMap, { namespace: 'ns', name: 'a' });
      },
    });
    await withControllers([controller], async ({ fake, settle }) => {
      fake.seed(ConfigMap, config('a'));
      await settle();
      assert.equal(fake.all(ConfigMap).length, 0);
      // One run writes, one deletes, one finds it gone.
      assert.ok(runs <= 3, `${runs} runs`);
    });
  });

  it('comes back after a failure, and when asked to', async () => {
    let runs = 0;
    const controller = defineController({
      name: 'test',
      watches: [primary(ConfigMap)],
      async reconcile(_key, { requeueAfter }) {
        runs++;
        if (runs === 1) throw new Error('not yet');
        if (runs === 2) requeueAfter(3_600_000);
      },
    });
    await withControllers([controller], async ({ fake, settle, advance }) => {
      fake.seed(ConfigMap, config('a'));
      await settle();
      assert.equal(runs, 1);
      await advance(100);
      assert.equal(runs, 2);
      await advance(3_600_000);
      assert.equal(runs, 3);
      await advance(86_400_000);
      assert.equal(runs, 3);
    });
  });

  it('acts as its own service account', () => {
    const { name, groups } = identityOf({ name: 'job' });
    assert.equal(name, 'system:serviceaccount:kube-system:job-controller');
    assert.ok(groups.includes('system:authenticated'));
  });
});
