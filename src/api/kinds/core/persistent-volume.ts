import { defineKind, keepAllButStatus, keepStatus } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { legacyClassAnnotation, storageClassOf } from '../../storage-class-name.ts';
import { ageColumn, nameColumn, unset } from '../../table/columns.ts';
import { timestamp } from '../../timestamp.ts';
import { warnOfTerm } from '../../validation/warnings.ts';
import { statusSubresource } from '../subresources.ts';
import { accessModesText } from './access-modes.ts';
import { validateVolume, validateVolumeUpdate } from './persistent-volume-validation.ts';
import { defaultAzureDisk, defaultRbd, defaultScaleIo } from './pod-spec.ts';
import { canonicalResources } from './resource-list.ts';
import { warnOfRetiredSource } from './volume-warnings.ts';

export type PersistentVolume = t.PersistentVolume;
export const PersistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  scope: 'Cluster',
  subresources: [statusSubresource],
  returnsDeletedObject: true,
  applyDefaults(volume) {
    const spec = (volume.spec ??= {});
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    canonicalResources(spec.capacity);
    if (spec.hostPath) spec.hostPath.type ??= '';
    if (spec.iscsi) spec.iscsi.iscsiInterface ||= 'default';
    if (spec.rbd) defaultRbd(spec.rbd);
    if (spec.azureDisk) defaultAzureDisk(spec.azureDisk);
    if (spec.scaleIO) defaultScaleIo(spec.scaleIO);
  },
  prepareForCreate(volume, { nowMs }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(nowMs) };
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
  },
  prepareForStatusUpdate(next, previous, { nowMs }) {
    keepAllButStatus(next, previous);
    if (next.status && next.status.phase !== previous.status?.phase && isUnstamped(next, previous)) {
      next.status.lastPhaseTransitionTime = timestamp(nowMs);
    }
  },
  validate: validateVolume,
  validateUpdate: validateVolumeUpdate,
  warnings: volumeWarnings,
  columns: [
    nameColumn,
    { name: 'Capacity', type: 'string', cell: (volume) => volume.spec?.capacity?.['storage'] ?? '0' },
    { name: 'Access Modes', type: 'string', cell: (volume) => accessModesText(volume.spec?.accessModes) },
    { name: 'Reclaim Policy', type: 'string', cell: (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? '' },
    { name: 'Status', type: 'string', cell: (v) => (v.metadata.deletionTimestamp ? 'Terminating' : (v.status?.phase ?? '')) },
    { name: 'Claim', type: 'string', cell: claimText },
    { name: 'StorageClass', type: 'string', cell: storageClassOf },
    { name: 'VolumeAttributesClass', type: 'string', cell: (volume) => volume.spec?.volumeAttributesClassName ?? unset },
    { name: 'Reason', type: 'string', cell: (volume) => volume.status?.reason ?? '' },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: (volume) => volume.spec?.volumeMode ?? unset },
  ],
});

function claimText({ spec }: PersistentVolume): string {
  const claim = spec?.claimRef;
  return claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : '';
}

/** The client changed the phase and said nothing of when. */
function isUnstamped({ status: next }: PersistentVolume, { status: previous }: PersistentVolume): boolean {
  const time = next?.lastPhaseTransitionTime;
  return !time || time === previous?.lastPhaseTransitionTime;
}

/** kubernetes: pkg/api/persistentvolume/util.go. */
function volumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = [];
  for (const [key, advice] of Object.entries(oldAnnotations)) {
    if (metadata.annotations?.[key] !== undefined) warnings.push(`metadata.annotations[${key}]: ${advice}`);
  }
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = 'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';
    warnings.push(`spec.persistentVolumeReclaimPolicy: ${detail}`);
  }
  spec?.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, i) => {
    warnOfTerm(warnings, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, term);
  });
  warnOfRetiredSource(warnings, 'spec', spec);
  return warnings;
}

const oldAnnotations: Readonly<Record<string, string>> = {
  [legacyClassAnnotation]: 'deprecated since v1.8; use "storageClassName" attribute instead',
  'volume.beta.kubernetes.io/mount-options': 'deprecated since v1.31; use "mountOptions" attribute instead',
};
