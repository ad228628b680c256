import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { VolumeAttributesClass } from '../../../api/kinds/storage/volume-attributes-class.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';

const finalizers = [
  { kind: PersistentVolumeClaim, finalizer: 'kubernetes.io/pvc-protection' },
  { kind: PersistentVolume, finalizer: 'kubernetes.io/pv-protection' },
  { kind: VolumeAttributesClass, finalizer: 'kubernetes.io/vac-protection' },
];

/** Volumes and claims in use are not deleted under their users: a controller takes the finalizer off when they are free. */
export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    admit(request) {
      for (const { kind, finalizer } of finalizers) {
        const object = objectOf<PersistentVolumeClaim | PersistentVolume | VolumeAttributesClass>(request, kind, ['CREATE']);
        if (!object || object.metadata.finalizers?.includes(finalizer)) continue;
        object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
      }
    },
  };
}
