import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionBench } from '../../../test/support/admission-bench.ts';

test('plugins run in the order of upstream', () => {
  assert.deepEqual(
    admissionBench([{ name: 'dynamic' }]).plugins.map(({ name }) => name),
    [
      'NamespaceLifecycle',
      'LimitRanger',
      'ServiceAccount',
      'NodeRestriction',
      'TaintNodesByCondition',
      'PodSecurity',
      'Priority',
      'DefaultTolerationSeconds',
      'DefaultStorageClass',
      'StorageObjectInUseProtection',
      'PersistentVolumeClaimResize',
      'RuntimeClass',
      'CertificateApproval',
      'CertificateSigning',
      'CertificateSubjectRestriction',
      'DefaultIngressClass',
      'PodTopologyLabels',
      'PodResizeValidator',
      'dynamic',
      'RbacEscalation',
      'ResourceQuota',
    ],
  );
});
