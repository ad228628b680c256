import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkText } from '../../validation/checks.ts';
import { equalMaps } from '../../validation/equal.ts';
import { forbidden, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { checkParameters } from './parameters.ts';

export type VolumeAttributesClass = t.VolumeAttributesClass;
export const VolumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  scope: 'Cluster',
  returnsDeletedObject: true,
  validate({ driverName, parameters }) {
    const errors: FieldError[] = [];
    if (!driverName) errors.push(required('driverName'));
    else checkText(errors, 'driverName', driverName.toLowerCase(), qualifiedName);
    checkParameters(errors, parameters);
    if (Object.keys(parameters ?? {}).length === 0) {
      errors.push(required('parameters', 'must contain at least one key/value pair'));
    }
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (next.driverName !== previous.driverName) {
      errors.push(forbidden('driverName', 'updates to driverName are forbidden.'));
    }
    if (!equalMaps(next.parameters, previous.parameters)) {
      errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    }
    return errors;
  },
  columns: [nameColumn, { name: 'DriverName', type: 'string', cell: (c) => c.driverName ?? '' }, ageColumn],
});
