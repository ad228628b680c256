import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable, checkRange, checkText, maxInt32 } from '../../validation/checks.ts';
import { forbidden, invalid, required } from '../../validation/errors.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { checkAccessModes } from '../core/persistent-volume-claim-validation.ts';
import { checkCsiDriverName, checkNetworkSource } from '../core/volume-source-validation.ts';
import { statusSubresource } from '../subresources.ts';

export type VolumeAttachment = t.VolumeAttachment;
export const VolumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec?.attacher) errors.push(required('spec.attacher'));
    checkCsiDriverName(errors, 'spec.attacher', spec?.attacher);
    checkSource(errors, spec?.source ?? {});
    const node = spec?.nodeName ?? '';
    for (const problem of dns1123Subdomain(node)) errors.push(invalid('spec.nodeName', node, problem));
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec', next.spec, previous.spec);
    return errors;
  },
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    for (const field of ['attachError', 'detachError'] as const) {
      checkRange(errors, `status.${field}.errorCode`, status?.[field]?.errorCode, [0, maxInt32]);
    }
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Attacher', type: 'string', format: 'name', cell: ({ spec }) => spec?.attacher ?? '' },
    { name: 'PV', type: 'string', cell: ({ spec }) => spec?.source?.persistentVolumeName ?? '' },
    { name: 'Node', type: 'string', cell: ({ spec }) => spec?.nodeName ?? '' },
    { name: 'Attached', type: 'boolean', cell: ({ status }) => status?.attached ?? false },
    ageColumn,
  ],
});

function checkSource(errors: FieldError[], { inlineVolumeSpec, persistentVolumeName }: t.VolumeAttachmentSource): void {
  const field = 'spec.source';
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!inlineVolumeSpec && persistentVolumeName === undefined) errors.push(required(field, detail));
  else if (inlineVolumeSpec && persistentVolumeName !== undefined) errors.push(forbidden(field, detail));
  else if (inlineVolumeSpec) checkInlineVolume(errors, `${field}.inlineVolumeSpec`, inlineVolumeSpec);
  else if (persistentVolumeName === '') {
    errors.push(required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName'));
  } else checkText(errors, `${field}.persistentVolumeName`, persistentVolumeName, dns1123Subdomain);
}

const inlineContext = 'in the context of inline volumes';

/** A volume that is described where it is attached has a driver, and nothing that only volumes of the cluster have. */
function checkInlineVolume(errors: FieldError[], at: string, spec: t.PersistentVolumeSpec): void {
  const forbid = (field: string, detail = `may not be specified ${inlineContext}`): void => {
    errors.push(forbidden(`${at}.${field}`, detail));
  };
  if (spec.claimRef) forbid('claimRef');
  if (Object.keys(spec.capacity ?? {}).length > 0) forbid('capacity');
  if (!spec.csi) errors.push(required(`${at}.csi`, `has to be specified ${inlineContext}`));
  if (!spec.accessModes?.length) errors.push(required(`${at}.accessModes`));
  checkAccessModes(errors, `${at}.accessModes`, spec.accessModes ?? []);
  if (spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== 'Retain') {
    forbid('persistentVolumeReclaimPolicy', `may only be Retain ${inlineContext}`);
  }
  if (spec.nodeAffinity) forbid('nodeAffinity');
  if (spec.csi) checkNetworkSource(errors, { at: `${at}.csi`, name: 'csi', source: { ...spec.csi }, volumeName: '' });
  if (spec.storageClassName) forbid('storageClassName');
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem') {
    forbid('volumeMode', `may not specify volumeMode other than Filesystem ${inlineContext}`);
  }
}
