import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withControllers } from '../../../../test/support/controller-bench.ts';
import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { namespaceController } from './namespace.ts';

const controller = namespaceController(() => [ConfigMap, Pod]);

function seed(fake: FakeClient, finalizers: string[] = []): void {
  fake.seed(Namespace, { metadata: { name: 'ns' }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
  fake.seed(ConfigMap, { metadata: { namespace: 'ns', name: 'c', ...(finalizers.length > 0 ? { finalizers } : {}) } });
  fake.seed(Pod, {
    metadata: { namespace: 'ns', name: 'p', finalizers: ['example.com/hold'] },
    spec: { containers: [] },
    status: {},
  });
}

const condition = async (fake: FakeClient, type: string) =>
  (await fake.get(Namespace, { name: 'ns' })).status.conditions?.find((c) => c.type === type);

describe('namespace controller', () => {
  it('deletes pods first, then the rest, then lets the namespace go', async () => {
    await withControllers([controller], async ({ fake, settle }) => {
      seed(fake);
      await fake.delete(Namespace, { name: 'ns' });
      await settle();
      assert.equal(fake.all(ConfigMap).length, 1);
      assert.equal(
        (await condition(fake, 'NamespaceContentRemaining'))?.message,
        'Some resources are remaining: pods. has 1 resource instances',
      );
      fake.mutate(Pod, { namespace: 'ns', name: 'p' }, (p) => {
        delete p.metadata.finalizers;
      });
      await settle();
      assert.deepEqual([fake.all(ConfigMap).length, fake.all(Namespace).length], [0, 0]);
    });
  });

  it('says which finalizers hold it, and looks again', async () => {
    await withControllers([controller], async ({ fake, settle, advance }) => {
      seed(fake, ['example.com/keep']);
      fake.mutate(Pod, { namespace: 'ns', name: 'p' }, (p) => {
        delete p.metadata.finalizers;
      });
      await fake.delete(Namespace, { name: 'ns' });
      await settle();
      assert.equal(
        (await condition(fake, 'NamespaceFinalizersRemaining'))?.message,
        'Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
      );
      fake.mutate(ConfigMap, { namespace: 'ns', name: 'c' }, (c) => {
        delete c.metadata.finalizers;
      });
      await advance(2_000);
      assert.equal(fake.all(Namespace).length, 0);
    });
  });

  it('leaves live namespaces alone', async () => {
    await withControllers([controller], async ({ fake, settle }) => {
      seed(fake);
      await settle();
      assert.deepEqual(fake.writes, []);
    });
  });
});
