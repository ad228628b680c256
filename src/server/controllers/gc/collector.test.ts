import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, createBench } from '../../../../test/support/controller-bench.ts';
import type { OwnerReference } from '../../../api/generated/types.ts';
import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { createMetadataWatch } from '../../../reconcile/metadata-watch.ts';
import { createGarbageCollector } from './collector.ts';

async function withCollector(test: (bench: Bench) => Promise<void>, prepare?: (fake: FakeClient) => void): Promise<void> {
  const bench = createBench();
  prepare?.(bench.fake);
  const deps = { ...bench, client: bench.fake };
  const metadata = createMetadataWatch(deps);
  try {
    await bench.start(metadata);
    await bench.start(createGarbageCollector({ ...deps, metadata }));
    await test(bench);
  } finally {
    await bench.stop();
  }
}

function ref(owner: ConfigMap, block = true): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, blockOwnerDeletion: block };
}

function configMap(fake: FakeClient, name: string, owners: OwnerReference[] = [], finalizers: string[] = []): ConfigMap {
  return fake.seed(ConfigMap, {
    metadata: { namespace: 'ns', name, ownerReferences: owners, ...(finalizers.length > 0 ? { finalizers } : {}) },
  });
}

const names = (fake: FakeClient): string[] => fake.all(ConfigMap).map((c) => c.metadata.name);
const key = (name: string) => ({ namespace: 'ns', name });

describe('garbage collector', () => {
  it('deletes what a deleted owner leaves, down to the last generation', async () => {
    await withCollector(async ({ fake, settle }) => {
      const owner = configMap(fake, 'owner');
      const child = configMap(fake, 'child', [ref(owner)]);
      configMap(fake, 'grandchild', [ref(child)]);
      configMap(fake, 'other');
      await settle();
      await fake.delete(ConfigMap, key('owner'));
      await settle();
      assert.deepEqual(names(fake), ['other']);
    });
  });

  it('deletes at the start what lost its owner while nobody looked', async () => {
    await withCollector(
      async ({ fake }) => assert.deepEqual(names(fake), ['owned', 'owner']),
      (fake) => {
        const owner = configMap(fake, 'owner');
        configMap(fake, 'owned', [ref(owner)]);
        configMap(fake, 'stray', [{ ...ref(owner), uid: 'gone', name: 'gone' }]);
      },
    );
  });

  it('keeps an object while one owner lives, without the reference to the one that is gone', async () => {
    await withCollector(async ({ fake, settle }) => {
      const [a, b] = [configMap(fake, 'a'), configMap(fake, 'b')];
      configMap(fake, 'shared', [ref(a), ref(b)]);
      await settle();
      await fake.delete(ConfigMap, key('a'));
      await settle();
      const shared = await fake.get(ConfigMap, key('shared'));
      assert.deepEqual(
        shared.metadata.ownerReferences?.map((r) => r.name),
        ['b'],
      );
    });
  });

  it('foreground: the owner goes after the dependents that block it', async () => {
    await withCollector(async ({ fake, settle }) => {
      const owner = configMap(fake, 'owner');
      configMap(fake, 'blocking', [ref(owner)], ['example.com/hold']);
      configMap(fake, 'free', [ref(owner, false)]);
      await settle();
      await fake.delete(ConfigMap, key('owner'), { propagationPolicy: 'Foreground' });
      await settle();
      assert.deepEqual(names(fake), ['blocking', 'owner']);
      fake.mutate(ConfigMap, key('blocking'), (c) => {
        delete c.metadata.finalizers;
      });
      await settle();
      assert.deepEqual(names(fake), []);
    });
  });

  it('foreground: a circle does not wait for itself', async () => {
    await withCollector(async ({ fake, settle }) => {
      const a = configMap(fake, 'a');
      const b = configMap(fake, 'b', [ref(a)]);
      const c = configMap(fake, 'c', [ref(b)]);
      fake.mutate(ConfigMap, key('a'), (object) => {
        object.metadata.ownerReferences = [ref(c)];
      });
      await settle();
      await fake.delete(ConfigMap, key('a'), { propagationPolicy: 'Foreground' });
      await settle();
      assert.deepEqual(names(fake), []);
    });
  });

  it('orphan: dependents stay and lose the reference', async () => {
    await withCollector(async ({ fake, settle }) => {
      const owner = configMap(fake, 'owner');
      configMap(fake, 'child', [ref(owner)]);
      await settle();
      await fake.delete(ConfigMap, key('owner'), { propagationPolicy: 'Orphan' });
      await settle();
      assert.deepEqual(names(fake), ['child']);
      assert.equal((await fake.get(ConfigMap, key('child'))).metadata.ownerReferences, undefined);
    });
  });

  it('an owner in another namespace is none; a cluster-scoped object with a namespaced owner stays', async () => {
    await withCollector(async ({ fake, settle }) => {
      const owner = fake.seed(ConfigMap, { metadata: { namespace: 'elsewhere', name: 'owner' } });
      configMap(fake, 'child', [ref(owner)]);
      fake.seed(Node, { metadata: { name: 'n', ownerReferences: [ref(owner)] }, spec: {}, status: {} });
      await settle();
      assert.deepEqual(names(fake), ['owner']);
      assert.equal(fake.all(Node).length, 1);
    });
  });

  it('leaves objects alone whose owner is of a kind nobody knows', async () => {
    await withCollector(async ({ fake, settle }) => {
      configMap(fake, 'child', [{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'u' }]);
      await settle();
      assert.deepEqual(names(fake), ['child']);
    });
  });
});
