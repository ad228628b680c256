import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { invalid, required } from '../../validation/errors.ts';
import { checkFileMode, checkVolumeFilePath } from '../../validation/paths.ts';
import { checkFieldRef, checkResourceFieldRef } from './env-validation.ts';

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

/** A key of a ConfigMap or Secret as a file. */
export function checkKeyToPath(errors: FieldError[], at: string, item: t.KeyToPath): void {
  if (!item.key) errors.push(required(`${at}.key`));
  if (!item.path) errors.push(required(`${at}.path`));
  else checkVolumeFilePath(errors, `${at}.path`, item.path);
  checkFileMode(errors, `${at}.mode`, item.mode);
}

/** A field of the pod as a file. */
export function checkDownwardFile(errors: FieldError[], at: string, file: t.DownwardAPIVolumeFile): void {
  if (!file.path) errors.push(required(`${at}.path`));
  else checkVolumeFilePath(errors, `${at}.path`, file.path);
  if (file.fieldRef) {
    checkFieldRef(errors, `${at}.fieldRef`, file.fieldRef, downwardFields);
    if (file.resourceFieldRef) {
      errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (file.resourceFieldRef) checkResourceFieldRef(errors, `${at}.resourceFieldRef`, file.resourceFieldRef, true);
  else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
  checkFileMode(errors, `${at}.mode`, file.mode);
}
