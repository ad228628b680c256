import { parseQuantity } from '../../../lib/quantity.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkText } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { checkQuantity, keyed, nanos } from '../../validation/quantities.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

/** The spec of a claim, also as a template of StatefulSets and ephemeral volumes. kubernetes: ValidatePersistentVolumeClaimSpec. */
export function checkClaimSpec(errors: FieldError[], at: string, spec: t.PersistentVolumeClaimSpec): void {
  const { accessModes: modes = [], resources, dataSource, dataSourceRef } = spec;
  if (modes.length === 0) errors.push(required(`${at}.accessModes`, 'at least 1 access mode is required'));
  checkLabelSelector(errors, `${at}.selector`, spec.selector);
  checkAccessModes(errors, `${at}.accessModes`, modes);
  checkStorage(errors, at, resources?.requests);
  if (spec.storageClassName) checkText(errors, `${at}.storageClassName`, spec.storageClassName, dns1123Subdomain);
  checkEnum(errors, `${at}.volumeMode`, spec.volumeMode, volumeModes);
  if (dataSource) checkDataSource(errors, `${at}.dataSource`, dataSource);
  if (dataSourceRef) checkDataSource(errors, `${at}.dataSourceRef`, dataSourceRef);
  if (dataSource && dataSourceRef) checkSameSource(errors, at, dataSource, dataSourceRef);
  checkText(errors, `${at}.volumeAttributesClassName`, spec.volumeAttributesClassName, dns1123Subdomain);
}

/** Of claims and of volumes. */
export function checkAccessModes(errors: FieldError[], field: string, modes: readonly string[]): void {
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(field, mode, accessModes));
  if (modes.includes('ReadWriteOncePod') && modes.some((m) => m !== 'ReadWriteOncePod')) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
}

function checkStorage(errors: FieldError[], at: string, requests: Record<string, string> | undefined): void {
  const storage = requests?.['storage'];
  if (storage === undefined) {
    errors.push(required(keyed(`${at}.resources`, 'storage')));
    return;
  }
  const field = keyed(`${at}.resources`, 'storage');
  if (!parseQuantity(storage)) checkQuantity(errors, field, storage);
  else if (nanos(storage) <= 0n) errors.push(invalid(field, storage, 'must be greater than zero'));
}

function checkDataSource(errors: FieldError[], at: string, source: t.TypedLocalObjectReference): void {
  if (!source.name) errors.push(required(`${at}.name`));
  if (!source.kind) errors.push(required(`${at}.kind`));
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(at, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  checkText(errors, `${at}.apiGroup`, source.apiGroup, dns1123Subdomain);
}

/** Two names of one field. */
function checkSameSource(
  errors: FieldError[],
  at: string,
  old: t.TypedLocalObjectReference,
  { namespace, ...source }: t.TypedObjectReference,
): void {
  if (namespace) errors.push(invalid(at, `${at}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (!semanticEqual(old, source)) errors.push(invalid(at, `${at}.dataSource`, 'must match dataSourceRef'));
}
