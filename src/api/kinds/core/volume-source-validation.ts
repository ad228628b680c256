import type { FieldError } from '../../field-error.ts';
import { checkEnum } from '../../validation/checks.ts';
import { invalid, required } from '../../validation/errors.ts';
import { dns1123Label } from '../../validation/names.ts';

type Source = Readonly<Record<string, unknown>>;

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
  quobyte: ['registry', 'volume'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  csi: ['driver'],
};

/** A source that points to storage outside the node, in a pod or a PersistentVolume. `name` is the name of its field. */
export function checkNetworkSource(errors: FieldError[], at: string, name: string, source: Source): void {
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
      checkCsiDriverName(errors, `${at}.driver`, source['driver'] as string | undefined);
      return;
    case 'azureDisk':
      checkEnum(errors, `${at}.cachingMode`, source['cachingMode'] as string | undefined, ['None', 'ReadOnly', 'ReadWrite']);
      checkEnum(errors, `${at}.kind`, source['kind'] as string | undefined, ['Dedicated', 'Managed', 'Shared']);
      return;
    case 'flocker':
      checkFlocker(errors, at, source);
      return;
    case 'fc':
      checkFibreChannel(errors, at, source);
      return;
    default:
  }
}

function checkFlocker(errors: FieldError[], at: string, source: Source): void {
  const { datasetName, datasetUUID } = source;
  if (!datasetName && !datasetUUID) errors.push(required(at, 'one of datasetName and datasetUUID is required'));
  if (datasetName && datasetUUID) {
    errors.push(invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
}

function checkFibreChannel(errors: FieldError[], at: string, source: Source): void {
  const names = (source['targetWWNs'] as unknown[] | undefined)?.length ?? 0;
  const ids = (source['wwids'] as unknown[] | undefined)?.length ?? 0;
  if (names === 0 && ids === 0) {
    errors.push(required(`${at}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  } else if (names > 0 && ids > 0) {
    errors.push(invalid(`${at}.targetWWNs`, source['targetWWNs'], 'targetWWNs and wwids can not be specified simultaneously'));
  } else if (names > 0 && source['lun'] === undefined) {
    errors.push(required(`${at}.lun`, 'lun is required if targetWWNs is specified'));
  }
}

const maxDriverNameLength = 63;

/** The name of a CSI driver: a domain-like name of at most 63 characters. */
export function checkCsiDriverName(errors: FieldError[], field: string, name: string | undefined): void {
  if (!name) return;
  if (name.length > maxDriverNameLength) {
    errors.push({ reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxDriverNameLength} bytes` });
  }
  for (const label of name.toLowerCase().split('.')) {
    for (const problem of dns1123Label(label)) errors.push(invalid(field, name, problem));
  }
}
