import type { ObjectMeta } from './generated/types.ts';

/** Named the class of claims and volumes before there was a field for it. */
export const legacyClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

interface Classified {
  readonly metadata: Pick<ObjectMeta, 'annotations'>;
  readonly spec?: { readonly storageClassName?: string };
}

/** The storage class of a claim or a volume, empty for none: the old annotation, then the field (upstream: GetPersistentVolumeClaimClass). */
export function storageClassOf({ metadata, spec }: Classified): string {
  return metadata.annotations?.[legacyClassAnnotation] ?? spec?.storageClassName ?? '';
}
