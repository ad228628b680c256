import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withControllers } from '../../../../test/support/controller-bench.ts';
import type { PersistentVolumeClaimSpec } from '../../../api/generated/types.ts';
import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { StorageClass } from '../../../api/kinds/storage/storage-class.ts';
import { VolumeAttributesClass } from '../../../api/kinds/storage/volume-attributes-class.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { volumeBinder } from './binder.ts';
import { attributesClassProtectionController, claimProtectionController } from './protection.ts';

const key = { namespace: 'ns', name: 'c' };

function addVolume(fake: FakeClient, name: string, storage: string): void {
  fake.seed(PersistentVolume, {
    metadata: { name },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    status: {},
  });
}

function addClaim(fake: FakeClient, spec: PersistentVolumeClaimSpec = {}): void {
  fake.seed(PersistentVolumeClaim, {
    metadata: { ...key, finalizers: ['kubernetes.io/pvc-protection'] },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    status: { phase: 'Pending' },
  });
}

const phase = async (fake: FakeClient, name: string) => (await fake.get(PersistentVolume, { name })).status.phase;
const run = (test: (bench: Bench) => Promise<void>): Promise<void> =>
  withControllers([volumeBinder, claimProtectionController], test);

describe('volume binder', () => {
  it('binds a claim to the smallest volume that is large enough, and releases it afterwards', async () => {
    await run(async ({ fake, settle }) => {
      for (const [name, size] of [
        ['small', '500Mi'],
        ['large', '10Gi'],
        ['fit', '2Gi'],
      ] as const)
        addVolume(fake, name, size);
      await settle();
      assert.equal(await phase(fake, 'fit'), 'Available');
      addClaim(fake);
      await settle();
      const claim = await fake.get(PersistentVolumeClaim, key);
      assert.deepEqual([claim.spec.volumeName, claim.status.phase, claim.status.capacity], ['fit', 'Bound', { storage: '2Gi' }]);
      assert.equal(await phase(fake, 'fit'), 'Bound');
      await fake.delete(PersistentVolumeClaim, key);
      await settle();
      assert.equal(await phase(fake, 'fit'), 'Released');
      assert.equal(fake.all(PersistentVolumeClaim).length, 0);
    });
  });

  it('says which attributes class the volume had when it was bound', async () => {
    await run(async ({ fake, settle }) => {
      addVolume(fake, 'fit', '2Gi');
      const current = async () => (await fake.get(PersistentVolumeClaim, key)).status.currentVolumeAttributesClassName;
      const setClass = (name: string) =>
        fake.mutate(PersistentVolume, { name: 'fit' }, (volume) => {
          volume.spec.volumeAttributesClassName = name;
        });
      setClass('gold');
      addClaim(fake, { volumeAttributesClassName: 'gold' });
      await settle();
      assert.equal(await current(), 'gold');
      setClass('silver');
      await settle();
      assert.equal(await current(), 'gold');
    });
  });

  it('waits for the first consumer, tells the provisioner, and binds what it makes', async () => {
    await run(async ({ fake, settle }) => {
      fake.seed(StorageClass, {
        metadata: { name: 'local' },
        provisioner: 'example.com/local',
        volumeBindingMode: 'WaitForFirstConsumer',
      });
      addClaim(fake, { storageClassName: 'local' });
      await settle();
      const provisioner = async () =>
        (await fake.get(PersistentVolumeClaim, key)).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'];
      assert.equal(await provisioner(), undefined);
      fake.mutate(PersistentVolumeClaim, key, (c) => {
        c.metadata.annotations = { 'volume.kubernetes.io/selected-node': 'n' };
      });
      await settle();
      assert.equal(await provisioner(), 'example.com/local');
      const { uid } = (await fake.get(PersistentVolumeClaim, key)).metadata;
      fake.seed(PersistentVolume, {
        metadata: { name: 'made' },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'local',
          claimRef: { ...key, uid },
        },
        status: {},
      });
      await settle();
      assert.equal((await fake.get(PersistentVolumeClaim, key)).status.phase, 'Bound');
      assert.equal(await phase(fake, 'made'), 'Bound');
    });
  });

  it('the class of an old annotation goes before that of the field', async () => {
    await run(async ({ fake, settle }) => {
      const annotations = { 'volume.beta.kubernetes.io/storage-class': 'old' };
      addVolume(fake, 'v', '1Gi');
      fake.mutate(PersistentVolume, { name: 'v' }, (v) => Object.assign(v.spec, { storageClassName: 'old' }));
      addClaim(fake, { storageClassName: 'new' });
      await settle();
      assert.equal((await fake.get(PersistentVolumeClaim, key)).status.phase, 'Pending');
      fake.mutate(PersistentVolumeClaim, key, (c) => Object.assign(c.metadata, { annotations }));
      await settle();
      assert.equal((await fake.get(PersistentVolumeClaim, key)).spec.volumeName, 'v');
    });
  });

  it('a claim whose volume is gone is lost; one that a pod uses stays until the pod ends', async () => {
    await run(async ({ fake, settle }) => {
      addVolume(fake, 'v', '1Gi');
      addClaim(fake);
      fake.seed(Pod, {
        metadata: { namespace: 'ns', name: 'p' },
        spec: { nodeName: 'n', containers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] },
        status: { phase: 'Running' },
      });
      await settle();
      await fake.delete(PersistentVolume, { name: 'v' });
      await settle();
      assert.deepEqual((await fake.get(PersistentVolumeClaim, key)).status, { phase: 'Lost' }, 'it has nothing of the volume');
      await fake.delete(PersistentVolumeClaim, key);
      await settle();
      assert.equal(fake.all(PersistentVolumeClaim).length, 1);
      fake.mutate(Pod, { namespace: 'ns', name: 'p' }, (p) => Object.assign(p.status, { phase: 'Succeeded' }));
      await settle();
      assert.equal(fake.all(PersistentVolumeClaim).length, 0);
    });
  });
});

describe('volume attributes class protection', () => {
  const gold = { metadata: { name: 'gold', finalizers: ['kubernetes.io/vac-protection'] }, driverName: 'csi.example.com' };
  const users: readonly (readonly [
    name: string,
    seed: (fake: FakeClient) => void,
    free: (fake: FakeClient) => Promise<unknown>,
  ])[] = [
    [
      'a claim that asks for it',
      (fake) => addClaim(fake, { volumeAttributesClassName: 'gold' }),
      async (fake) => fake.mutate(PersistentVolumeClaim, key, (claim) => delete claim.spec.volumeAttributesClassName),
    ],
    [
      'a claim that is being changed to it',
      (fake) => {
        addClaim(fake);
        fake.mutate(PersistentVolumeClaim, key, (claim) => {
          claim.status.modifyVolumeStatus = { status: 'InProgress', targetVolumeAttributesClassName: 'gold' };
        });
      },
      async (fake) => fake.mutate(PersistentVolumeClaim, key, (claim) => delete claim.status.modifyVolumeStatus),
    ],
    [
      'a volume that has it',
      (fake) => {
        addVolume(fake, 'v', '1Gi');
        fake.mutate(PersistentVolume, { name: 'v' }, (volume) => {
          volume.spec.volumeAttributesClassName = 'gold';
        });
      },
      (fake) => fake.delete(PersistentVolume, { name: 'v' }),
    ],
  ];
  for (const [name, seed, free] of users)
    it(`keeps a class for ${name}, and lets it go after`, () =>
      withControllers([attributesClassProtectionController], async ({ fake, settle }) => {
        fake.seed(VolumeAttributesClass, gold);
        seed(fake);
        await fake.delete(VolumeAttributesClass, { name: 'gold' });
        await settle();
        assert.equal(fake.all(VolumeAttributesClass).length, 1);
        await free(fake);
        await settle();
        assert.equal(fake.all(VolumeAttributesClass).length, 0);
      }));

  it('lets go of a class that nobody uses', () =>
    withControllers([attributesClassProtectionController], async ({ fake, settle }) => {
      fake.seed(VolumeAttributesClass, gold);
      await settle();
      await fake.delete(VolumeAttributesClass, { name: 'gold' });
      await settle();
      assert.equal(fake.all(VolumeAttributesClass).length, 0);
    }));
});
