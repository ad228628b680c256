import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkImmutable, checkText, fieldIsImmutable } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { checkNoBacksteps } from '../../validation/paths.ts';
import { keyed, nanos } from '../../validation/quantities.ts';
import { checkAccessModes, volumeModes } from './persistent-volume-claim-validation.ts';
import { checkNodeSelector } from './scheduling-validation.ts';
import { checkNetworkSource } from './volume-source-validation.ts';
import { checkHostPath } from './volume-validation.ts';

const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;
const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];

/** kubernetes: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec). */
export function validateVolume({ metadata, spec }: t.PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) errors.push(required('spec.accessModes'));
  checkAccessModes(errors, 'spec.accessModes', modes);
  checkCapacity(errors, spec.capacity ?? {});
  checkEnum(errors, 'spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, reclaimPolicies);
  if (spec.nodeAffinity) {
    if (!spec.nodeAffinity.required)
      errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else checkNodeSelector(errors, 'spec.nodeAffinity.required', spec.nodeAffinity.required);
  }
  checkSource(errors, spec, metadata.name ?? '');
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  }
  checkText(errors, 'spec.storageClassName', spec.storageClassName, dns1123Subdomain);
  checkEnum(errors, 'spec.volumeMode', spec.volumeMode, volumeModes);
  if (spec.volumeAttributesClassName !== undefined) {
    if (!spec.volumeAttributesClassName) errors.push(required('spec.volumeAttributesClassName', 'an empty string is disallowed'));
    checkText(errors, 'spec.volumeAttributesClassName', spec.volumeAttributesClassName, dns1123Subdomain);
    if (!spec.csi) errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  }
  return errors;
}

function checkCapacity(errors: FieldError[], capacity: Readonly<Record<string, string>>): void {
  const resources = Object.keys(capacity);
  if (resources.length === 0) errors.push(required('spec.capacity'));
  if (resources.length !== 1 || resources[0] !== 'storage') {
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const resource of resources) {
    const amount = nanos(capacity[resource]);
    if (amount > 0n) continue;
    const field = keyed('spec.capacity', resource);
    if (amount < 0n) errors.push(invalid(field, Number(amount / 1_000_000_000n), 'must be a valid resource quantity'));
    errors.push(invalid(field, capacity[resource], 'must be greater than zero'));
  }
}

function checkSource(errors: FieldError[], spec: t.PersistentVolumeSpec, name: string): void {
  const [first, ...others] = sources.filter((source) => spec[source]);
  if (!first) {
    errors.push(required('spec', 'must specify a volume type'));
    return;
  }
  for (const source of others) {
    // Upstream checks this one whatever else there is, and names one of the others differently.
    if (source === 'flexVolume')
      checkNetworkSource(errors, { at: 'spec.flexVolume', name: source, source: { ...spec.flexVolume } });
    else errors.push(forbidden(`spec.${source === 'cephfs' ? 'cephFS' : source}`, 'may not specify more than 1 volume type'));
  }
  const at = `spec.${first}`;
  if (first === 'hostPath') checkHostPath(errors, at, spec.hostPath!);
  else if (first === 'local') checkLocal(errors, at, spec);
  else {
    const source = spec[first] as unknown as Readonly<Record<string, unknown>>;
    checkNetworkSource(errors, { at, name: first, source, volumeName: name });
  }
}

function checkLocal(errors: FieldError[], at: string, spec: t.PersistentVolumeSpec): void {
  if (!spec.local?.path) errors.push(required(`${at}.path`));
  else checkNoBacksteps(errors, `${at}.path`, spec.local.path);
  if (!spec.nodeAffinity) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
}

/** Where the data is does not change. */
export function validateVolumeUpdate({ spec: next }: t.PersistentVolume, { spec: previous }: t.PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  if (sources.some((source) => !sameSource(next, previous, source))) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation\n'));
  }
  checkImmutable(errors, 'volumeMode', next.volumeMode, previous.volumeMode);
  if (previous.nodeAffinity && !semanticEqual(next.nodeAffinity, previous.nodeAffinity)) {
    const detail = `${fieldIsImmutable}, except for updating from beta label to GA`;
    errors.push(invalid('nodeAffinity', next.nodeAffinity, detail));
  }
  if (previous.volumeAttributesClassName !== undefined && next.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
}

function sameSource(next: t.PersistentVolumeSpec, previous: t.PersistentVolumeSpec, source: (typeof sources)[number]): boolean {
  if (source !== 'csi' || !next.csi || !previous.csi || previous.csi.controllerExpandSecretRef) {
    return semanticEqual(next[source], previous[source]);
  }
  // The secret for expansion may be added later.
  const { controllerExpandSecretRef: _, ...csi } = next.csi;
  return semanticEqual(csi, previous.csi);
}
