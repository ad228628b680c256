import { quantityValue } from '../lib/quantity.ts';
import type { PersistentVolume } from './kinds/core/persistent-volume.ts';
import type { PersistentVolumeClaim } from './kinds/core/persistent-volume-claim.ts';
import { matchesLabelSelector } from './selectors/label-selector.ts';
import { storageClassOf } from './storage-class-name.ts';

/** True when the volume's claimRef names the claim; a claimRef without uid reserves the volume for the name. */
export function isFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec.claimRef;
  if (!ref || ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace) return false;
  return !ref.uid || ref.uid === claim.metadata.uid;
}

/** The volume a claim gets: one that is reserved for it, else the smallest free one that satisfies it (upstream: findMatchingVolume). */
export function findVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): PersistentVolume | undefined {
  const usable = volumes.filter((volume) => volume.metadata.deletionTimestamp === undefined && satisfies(volume, claim));
  const reserved = usable.find((volume) => isFor(volume, claim));
  if (reserved) return reserved;
  const free = usable.filter(
    (volume) =>
      !volume.spec.claimRef &&
      volume.status.phase === 'Available' &&
      (!claim.spec.selector || matchesLabelSelector(claim.spec.selector, volume.metadata.labels)),
  );
  return free.sort((a, b) => sizeOf(a) - sizeOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}

/** Class, mode, access modes and size fit. */
function satisfies(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { spec } = volume;
  const wanted = claim.spec;
  return (
    storageClassOf(volume) === storageClassOf(claim) &&
    (spec.volumeMode ?? 'Filesystem') === (wanted.volumeMode ?? 'Filesystem') &&
    (wanted.accessModes ?? []).every((mode) => (spec.accessModes ?? []).includes(mode)) &&
    quantityValue(spec.capacity?.['storage']) >= quantityValue(wanted.resources?.requests?.['storage'])
  );
}

function sizeOf(volume: PersistentVolume): number {
  return quantityValue(volume.spec.capacity?.['storage']);
}
