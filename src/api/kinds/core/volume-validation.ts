import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, requireText } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabels } from '../../validation/labels.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { checkAnnotations } from '../../validation/object-meta.ts';
import { checkDescendingPath, checkFileMode, checkNoBacksteps } from '../../validation/paths.ts';
import { nanos } from '../../validation/quantities.ts';
import { checkClaimSpec } from './persistent-volume-claim-validation.ts';
import { checkProjected } from './projected-validation.ts';
import { checkDownwardFile, checkKeyToPath } from './volume-file-validation.ts';
import { checkIscsiName, checkNetworkSource } from './volume-source-validation.ts';

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

/** Upstream's order of sources: the first one that is set is the volume, later ones are errors. */
const sources = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;

/** The volumes of a pod; answers those without error, by name, which is what mounts may refer to. `podName` is empty for templates. */
export function checkVolumes(
  errors: FieldError[],
  field: string,
  volumes: readonly t.Volume[] | undefined,
  podName: string,
): Map<string, t.Volume> {
  const valid = new Map<string, t.Volume>();
  for (const [i, volume] of (volumes ?? []).entries()) {
    const at = `${field}[${i}]`;
    const before = errors.length;
    checkSources(errors, at, volume, podName);
    requireText(errors, `${at}.name`, volume.name, dns1123Label);
    if (valid.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    if (errors.length === before) valid.set(volume.name, volume);
    checkGeneratedClaim(errors, at, volume, { volumes: volumes ?? [], podName });
  }
  return valid;
}

/** A claim that a generic ephemeral volume brings along cannot also be mounted by name. */
function checkGeneratedClaim(
  errors: FieldError[],
  at: string,
  volume: t.Volume,
  { volumes, podName }: { volumes: readonly t.Volume[]; podName: string },
): void {
  const claim = volume.persistentVolumeClaim?.claimName;
  if (!claim || !podName || !volumes.some((v) => v.ephemeral && `${podName}-${v.name}` === claim)) return;
  const detail = 'must not reference a PVC that gets created for an ephemeral volume';
  errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail));
}

function checkSources(errors: FieldError[], at: string, volume: t.Volume, podName: string): void {
  const given = givenSources(volume);
  if (given.length === 0) errors.push(required(at, 'must specify a volume type'));
  // Almost always there is one; only several have an order.
  const ordered = given.length < 2 ? given : sources.filter((source) => given.includes(source));
  for (const [i, source] of ordered.entries()) {
    if (i > 0) errors.push(forbidden(`${at}.${upstreamNames[source] ?? source}`, 'may not specify more than 1 volume type'));
    else checkSource(errors, `${at}.${source}`, volume, source);
  }
  if (volume.ephemeral && podName && volume.name) {
    const claim = `${podName}-${volume.name}`;
    for (const problem of dns1123Subdomain(claim)) {
      errors.push(invalid(`${at}.name`, volume.name, `PVC name "${claim}": ${problem}`));
    }
  }
}

type Source = (typeof sources)[number];

/** How messages name the further sources of a volume that has too many. */
const upstreamNames: Readonly<Partial<Record<Source, string>>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

function givenSources(volume: t.Volume): Source[] {
  const given: Source[] = [];
  for (const field in volume) if (field !== 'name' && volume[field as Source]) given.push(field as Source);
  return given;
}

function checkSource(errors: FieldError[], at: string, volume: t.Volume, source: Source): void {
  switch (source) {
    case 'emptyDir':
      if (volume.emptyDir?.sizeLimit && nanos(volume.emptyDir.sizeLimit) < 0n) {
        errors.push(forbidden(`${at}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
      }
      return;
    case 'hostPath':
      checkHostPath(errors, at, volume.hostPath!);
      return;
    case 'secret':
      if (!volume.secret?.secretName) errors.push(required(`${at}.secretName`));
      checkFiles(errors, at, volume.secret!);
      return;
    case 'configMap':
      if (!volume.configMap?.name) errors.push(required(`${at}.name`));
      checkFiles(errors, at, volume.configMap!);
      return;
    case 'persistentVolumeClaim':
      if (!volume.persistentVolumeClaim?.claimName) errors.push(required(`${at}.claimName`));
      return;
    case 'downwardAPI':
      checkFileMode(errors, `${at}.defaultMode`, volume.downwardAPI?.defaultMode);
      for (const file of volume.downwardAPI?.items ?? []) checkDownwardFile(errors, at, file);
      return;
    case 'projected':
      checkProjected(errors, at, volume.projected!);
      return;
    case 'ephemeral':
      checkEphemeral(errors, at, volume.ephemeral!);
      return;
    case 'image':
      if (!volume.image?.reference) errors.push(required(`${at}.reference`));
      checkEnum(errors, `${at}.pullPolicy`, volume.image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']);
      return;
    case 'gitRepo':
      if (!volume.gitRepo?.repository) errors.push(required(`${at}.repository`));
      checkDescendingPath(errors, `${at}.directory`, volume.gitRepo?.directory ?? '');
      return;
    default:
      checkNetworkSource(errors, { at, name: source, source: volume[source] as Readonly<Record<string, unknown>> });
      if (source === 'iscsi') checkIscsiName(errors, at.slice(0, -'.iscsi'.length), volume);
      return;
  }
}

/** Also for volumes of kind PersistentVolume. */
export function checkHostPath(errors: FieldError[], at: string, source: t.HostPathVolumeSource): void {
  if (!source.path) {
    errors.push(required(`${at}.path`));
    return;
  }
  checkNoBacksteps(errors, `${at}.path`, source.path);
  if (source.type !== undefined && !hostPathTypes.includes(source.type)) {
    errors.push(notSupported(`${at}.type`, source.type, hostPathTypes));
  }
}

function checkFiles(errors: FieldError[], at: string, source: t.SecretVolumeSource | t.ConfigMapVolumeSource): void {
  checkFileMode(errors, `${at}.defaultMode`, source.defaultMode);
  source.items?.forEach((item, i) => {
    checkKeyToPath(errors, `${at}.items[${i}]`, item);
  });
}

function checkEphemeral(errors: FieldError[], at: string, source: t.EphemeralVolumeSource): void {
  const template = source.volumeClaimTemplate;
  if (!template) errors.push(required(`${at}.volumeClaimTemplate`));
  else {
    checkLabels(errors, `${at}.volumeClaimTemplate.metadata.labels`, template.metadata?.labels);
    checkAnnotations(errors, `${at}.volumeClaimTemplate.metadata.annotations`, template.metadata?.annotations);
    checkClaimSpec(errors, `${at}.volumeClaimTemplate.spec`, template.spec);
  }
}
