import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkRange, requireText } from '../../validation/checks.ts';
import { invalid, notSupported, required, tooLong } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { keyed } from '../../validation/quantities.ts';

type Source = Readonly<Record<string, unknown>>;
type Reference = { readonly name?: string; readonly namespace?: string } | undefined;

/** Fields without which a source of network storage means nothing. The in-tree drivers are gone: what is left is the shape. */
const requiredFields: Readonly<Record<string, readonly string[]>> = {
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  nfs: ['server', 'path'],
  iscsi: ['targetPortal', 'iqn'],
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cinder: ['volumeID'],
  cephfs: ['monitors'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
};

const byte: readonly [number, number] = [0, 255];

/** A source that points to storage outside the node; `volumeName` is that of a PersistentVolume, absent in pods. */
export interface NetworkSource {
  /** Where errors are reported. */
  readonly at: string;
  /** The name of its field. */
  readonly name: string;
  readonly source: Source;
  readonly volumeName?: string;
}

export function checkNetworkSource(errors: FieldError[], { at: given, name, source, volumeName }: NetworkSource): void {
  const at = name === 'gcePersistentDisk' ? given.replace(name, 'persistentDisk') : given;
  for (const field of requiredFields[name] ?? []) {
    const value = source[field];
    if (!value || (Array.isArray(value) && value.length === 0)) errors.push(required(`${at}.${field}`));
  }
  switch (name) {
    case 'nfs':
      if (!String(source['path'] ?? '').startsWith('/')) {
        errors.push(invalid(`${at}.path`, source['path'] ?? '', 'must be an absolute path'));
      }
      return;
    case 'csi':
      checkCsi(errors, at, source as unknown as t.CSIPersistentVolumeSource & t.CSIVolumeSource, volumeName !== undefined);
      return;
    case 'gcePersistentDisk':
    case 'awsElasticBlockStore':
      checkPartition(errors, `${at}.partition`, source['partition'] as number | undefined);
      return;
    case 'cinder':
      checkReference(errors, `${at}.secretRef`, source['secretRef'] as Reference, volumeName !== undefined);
      return;
    default:
      otherChecks[name]?.(errors, at, source as never, volumeName);
  }
}

const otherChecks: Readonly<
  Record<string, (errors: FieldError[], at: string, source: never, volumeName: string | undefined) => void>
> = {
  iscsi: checkIscsi,
  fc: checkFibreChannel,
  flocker: checkFlocker,
  quobyte: checkQuobyte,
  glusterfs: checkGlusterfs,
  flexVolume: checkFlexOptions,
  azureFile: checkAzureFile,
  azureDisk: checkAzureDisk,
  storageos: checkStorageOs,
};

function checkPartition(errors: FieldError[], field: string, partition = 0): void {
  if (partition >= 0 && partition <= 255) return;
  errors.push(invalid(field, partition, 'must be between 1 and 255, inclusive'));
}

function checkReference(errors: FieldError[], at: string, reference: Reference, needsNamespace: boolean): void {
  if (!reference) return;
  if (!reference.name) errors.push(required(`${at}.name`));
  if (needsNamespace && !reference.namespace) errors.push(required(`${at}.namespace`));
}

const portalLimit = 64;
const qualifiers: Readonly<Record<string, RegExp>> = {
  iqn: /^iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function checkIscsi(errors: FieldError[], at: string, source: t.ISCSIVolumeSource, volumeName: string | undefined): void {
  const { iqn, targetPortal = '', initiatorName, secretRef } = source;
  const isVolume = volumeName !== undefined;
  if (isVolume && initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > portalLimit) {
    errors.push(invalid(`${at}.targetportal`, targetPortal, initiatorTooLong));
  }
  if (iqn) checkQualifiedName(errors, `${at}.iqn`, iqn, isVolume);
  checkRange(errors, `${at}.lun`, source.lun, byte);
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef) errors.push(required(`${at}.secretRef`));
  if (isVolume) checkReference(errors, `${at}.secretRef`, secretRef, false);
  if (initiatorName !== undefined) checkQualifiedName(errors, `${at}.initiatorname`, initiatorName, isVolume);
}

const initiatorTooLong =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

/** Of a pod's volume, whose name is checked with the portal. */
export function checkIscsiName(errors: FieldError[], at: string, { name, iscsi }: t.Volume): void {
  if (iscsi?.initiatorName === undefined || `${name}:${iscsi.targetPortal}`.length <= portalLimit) return;
  errors.push(invalid(`${at}.name`, name, initiatorTooLong));
}

function checkQualifiedName(errors: FieldError[], field: string, name: string, isVolume: boolean): void {
  const rule = qualifiers[name.slice(0, 3)];
  if (rule?.test(name)) return;
  const detail = rule || isVolume ? 'must be valid format' : 'must be valid format starting with iqn, eui, or naa';
  errors.push(invalid(field, name, detail));
}

function checkFlocker(errors: FieldError[], at: string, { datasetName, datasetUUID }: t.FlockerVolumeSource): void {
  if (!datasetName && !datasetUUID) errors.push(required(at, 'one of datasetName and datasetUUID is required'));
  if (datasetName && datasetUUID) {
    errors.push(invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName?.includes('/')) errors.push(invalid(`${at}.datasetName`, datasetName, "must not contain '/'"));
}

function checkFibreChannel(errors: FieldError[], at: string, { targetWWNs = [], wwids = [], lun }: t.FCVolumeSource): void {
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    errors.push(invalid(`${at}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (targetWWNs.length === 0) return;
  if (lun === undefined) errors.push(required(`${at}.lun`, 'lun is required if targetWWNs is specified'));
  else checkRange(errors, `${at}.lun`, lun, byte);
}

const registryDetail = 'must be a host:port pair or multiple pairs separated by commas';

function checkQuobyte(errors: FieldError[], at: string, { registry, tenant, volume }: t.QuobyteVolumeSource): void {
  if (!registry) errors.push(required(`${at}.registry`, registryDetail));
  else if ((tenant?.length ?? 0) > 64) {
    errors.push(required(`${at}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of registry.split(',')) {
      if (!/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) errors.push(invalid(`${at}.registry`, registry, registryDetail));
    }
  }
  if (!volume) errors.push(required(`${at}.volume`));
}

function checkGlusterfs(errors: FieldError[], at: string, { endpointsNamespace }: t.GlusterfsPersistentVolumeSource): void {
  const field = `${at}.endpointsNamespace`;
  if (endpointsNamespace === '') {
    errors.push(invalid(field, '', 'if the endpointnamespace is set, it must be a valid namespace name'));
  } else for (const problem of dns1123Label(endpointsNamespace ?? 'x')) errors.push(invalid(field, endpointsNamespace, problem));
}

function checkFlexOptions(errors: FieldError[], at: string, { options }: t.FlexVolumeSource): void {
  for (const key in options) {
    const space = `.${(key.includes('/') ? key.slice(0, key.indexOf('/')) : key).toLowerCase()}`;
    if (!space.endsWith('.kubernetes.io') && !space.endsWith('.k8s.io')) continue;
    errors.push(invalid(keyed(`${at}.options`, key), key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
}

function checkAzureFile(errors: FieldError[], at: string, { secretNamespace }: t.AzureFilePersistentVolumeSource): void {
  if (secretNamespace === '') errors.push(required(`${at}.secretNamespace`));
}

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function checkAzureDisk(errors: FieldError[], at: string, { kind, cachingMode, diskURI = '' }: t.AzureDiskVolumeSource): void {
  checkEnum(errors, `${at}.cachingMode`, cachingMode, ['None', 'ReadOnly', 'ReadWrite']);
  checkEnum(errors, `${at}.kind`, kind, ['Dedicated', 'Managed', 'Shared']);
  if (kind === undefined) return;
  const [start, example] = kind === 'Managed' ? ['/subscriptions/', managedDisk] : ['https://', blobDisk];
  if (!diskURI.startsWith(start)) errors.push(notSupported(`${at}.diskURI`, diskURI, [example]));
}

function checkStorageOs(
  errors: FieldError[],
  at: string,
  source: t.StorageOSVolumeSource,
  persistentVolume: string | undefined,
): void {
  const { volumeName, volumeNamespace, secretRef } = source;
  requireText(errors, `${at}.volumeName`, volumeName, dns1123Label);
  if (volumeNamespace) requireText(errors, `${at}.volumeNamespace`, volumeNamespace, dns1123Label);
  checkReference(errors, `${at}.secretRef`, secretRef, persistentVolume !== undefined);
}

function checkCsi(
  errors: FieldError[],
  at: string,
  source: t.CSIPersistentVolumeSource & t.CSIVolumeSource,
  isVolume: boolean,
): void {
  checkCsiDriverName(errors, `${at}.driver`, source.driver);
  if (!isVolume) {
    const { nodePublishSecretRef: secret } = source;
    if (secret && !secret.name) errors.push(required(`${at}.nodePublishSecretRef.name`));
    else if (secret)
      for (const problem of dns1123Subdomain(secret.name!)) errors.push(invalid(`${at}.name`, secret.name, problem));
    return;
  }
  if (!source.volumeHandle) errors.push(required(`${at}.volumeHandle`));
  for (const field of csiSecrets) {
    const secret = source[field];
    if (!secret) continue;
    requireText(errors, `${at}.${field}.name`, secret.name, dns1123Subdomain);
    requireText(errors, `${at}.${field}.namespace`, secret.namespace, dns1123Label);
  }
}

const csiSecrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

const maxDriverNameLength = 63;

/** The name of a CSI driver: a domain-like name of at most 63 characters. */
export function checkCsiDriverName(errors: FieldError[], field: string, name: string | undefined): void {
  if (!name) {
    errors.push(required(field));
    return;
  }
  if (name.length > maxDriverNameLength) errors.push(tooLong(field, maxDriverNameLength));
  for (const problem of dns1123Subdomain(name.toLowerCase())) errors.push(invalid(field, name, problem));
}
