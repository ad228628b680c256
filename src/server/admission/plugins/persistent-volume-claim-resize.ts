import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { StorageClass } from '../../../api/kinds/storage/storage-class.ts';
import { storageClassOf } from '../../../api/storage-class-name.ts';
import { parseQuantity } from '../../../lib/quantity.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

/** A claim grows only when it is bound and its class says that its volumes can. */
export function persistentVolumeClaimResize({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(request) {
      const claim = objectOf(request, PersistentVolumeClaim, ['UPDATE']);
      const previous = request.oldObject as unknown as PersistentVolumeClaim | undefined;
      if (!claim || !previous || sizeOf(claim) <= sizeOf(previous)) return;
      if (previous.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded');
      const name = storageClassOf(claim);
      const mayGrow = name && name === storageClassOf(previous) && reader.get(StorageClass, { name })?.allowVolumeExpansion;
      if (!mayGrow)
        throw refuse(
          request,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
    },
  };
}

const sizeOf = ({ spec }: PersistentVolumeClaim): bigint =>
  parseQuantity(String(spec?.resources?.requests?.['storage'] ?? '0'))?.nanos ?? 0n;
