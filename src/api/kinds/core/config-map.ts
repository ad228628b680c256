import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { equalMaps } from '../../validation/equal.ts';
import { forbidden, invalid, tooLong } from '../../validation/errors.ts';
import { configMapKey } from '../../validation/names.ts';
import { utf8Length } from '../../validation/object-meta.ts';
import { keyed } from '../../validation/quantities.ts';

/** Of ConfigMaps and Secrets, all values together. */
export const dataLimitBytes = 1024 * 1024;
export const immutableDetail = 'field is immutable when `immutable` is set';

export type ConfigMap = t.ConfigMap;
export const ConfigMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  scope: 'Namespaced',
  validate({ data, binaryData }) {
    const errors: FieldError[] = [];
    let size = 0;
    for (const key in data) {
      checkKey(errors, 'data', key);
      if (binaryData && key in binaryData) {
        errors.push(invalid(keyed('data', key), key, 'duplicate of key present in binaryData'));
      }
      size += utf8Length(data[key] ?? '');
    }
    for (const key in binaryData) {
      checkKey(errors, 'binaryData', key);
      size += decodedLength(binaryData[key] ?? '');
    }
    if (size > dataLimitBytes) errors.push(tooLong('', dataLimitBytes));
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (!previous.immutable) return errors;
    if (!next.immutable) errors.push(forbidden('immutable', immutableDetail));
    if (!equalMaps(next.data, previous.data)) errors.push(forbidden('data', immutableDetail));
    if (!equalMaps(next.binaryData, previous.binaryData)) errors.push(forbidden('binaryData', immutableDetail));
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      cell: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
});

/** A key of a ConfigMap or Secret. */
export function checkKey(errors: FieldError[], field: string, key: string): void {
  for (const problem of configMapKey(key)) errors.push(invalid(keyed(field, key), key, problem));
}

/** How many bytes base64 text stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
}
