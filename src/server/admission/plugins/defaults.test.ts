import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBench, refuses } from '../../../../test/support/admission-bench.ts';
import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Ingress } from '../../../api/kinds/networking/ingress.ts';
import { IngressClass } from '../../../api/kinds/networking/ingress-class.ts';
import { StorageClass } from '../../../api/kinds/storage/storage-class.ts';
import type { StatusError } from '../../../api/status-error.ts';

describe('admission of namespaces and claims', () => {
  test('namespaces: missing, terminating, immortal', async () => {
    const { reader, admit } = admissionBench();
    const inside = { metadata: { name: 'a', namespace: 'nons' } };
    await refuses(admit(ConfigMap, inside), 'namespaces "nons" not found', 404);
    reader.put(Namespace, { metadata: { name: 'nons' }, status: { phase: 'Terminating' } });
    await assert.rejects(admit(ConfigMap, inside), (e: StatusError) => {
      assert.match(e.message, /unable to create new content in namespace nons because it is being terminated/);
      assert.equal(e.details?.causes?.[0]?.reason, 'NamespaceTerminating');
      return true;
    });
    await admit(ConfigMap, inside, { old: inside });
    const system = { metadata: { name: 'kube-system' } };
    await refuses(
      admit(Namespace, undefined, { operation: 'DELETE', old: system }),
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    );
  });

  test('the newest default class wins; a claim grows only when its class lets it', async () => {
    const { reader, admit } = admissionBench();
    const put = (name: string, creationTimestamp: string, isDefault: boolean) =>
      reader.put(StorageClass, {
        metadata: {
          name,
          creationTimestamp,
          annotations: isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {},
        },
        provisioner: 'x',
        allowVolumeExpansion: isDefault,
      });
    put('old', '2026-01-01T00:00:00Z', true);
    put('new', '2026-02-01T00:00:00Z', true);
    put('fixed', '2026-03-01T00:00:00Z', false);
    const claim = (storage: string, storageClassName?: string) => ({
      metadata: { name: 'd', namespace: 'shop' },
      spec: { resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) },
      status: { phase: 'Bound' },
    });
    const made = await admit(PersistentVolumeClaim, claim('1Gi'));
    assert.equal(made.spec.storageClassName, 'new');
    assert.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    assert.equal((await admit(PersistentVolumeClaim, claim('1Gi', ''))).spec.storageClassName, '');
    await admit(PersistentVolumeClaim, claim('2Gi', 'new'), { old: claim('1Gi', 'new') });
    const pending = { ...claim('1Gi', 'new'), status: { phase: 'Pending' } };
    await refuses(admit(PersistentVolumeClaim, claim('2Gi', 'new'), { old: pending }), /Only bound persistent volume claims/);
    await refuses(admit(PersistentVolumeClaim, claim('2Gi', 'fixed'), { old: claim('1Gi', 'fixed') }), /must support resize/);
    reader.put(IngressClass, {
      metadata: { name: 'web', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    });
    assert.equal((await admit(Ingress, { metadata: { name: 'i', namespace: 'shop' }, spec: {} })).spec.ingressClassName, 'web');
  });
});
