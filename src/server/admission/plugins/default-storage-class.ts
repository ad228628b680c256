import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { StorageClass } from '../../../api/kinds/storage/storage-class.ts';
import { legacyClassAnnotation } from '../../../api/storage-class-name.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { newestDefault } from '../newest-default.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** A claim that names no class gets the default one. */
export function defaultStorageClass({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    admit(request) {
      const claim = objectOf(request, PersistentVolumeClaim, ['CREATE']);
      if (
        !claim?.spec ||
        claim.spec.storageClassName !== undefined ||
        claim.metadata.annotations?.[legacyClassAnnotation] !== undefined
      )
        return;
      const found = newestDefault(reader.list(StorageClass), defaultAnnotations);
      if (found) claim.spec.storageClassName = found.metadata.name;
    },
  };
}
