import { lookup } from '../../../lib/lookup.ts';
import { setOwn } from '../../codec/json-objects.ts';
import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { equalMaps } from '../../validation/equal.ts';
import { forbidden, invalid, required, tooLong } from '../../validation/errors.ts';
import { keyed } from '../../validation/quantities.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { checkKey, dataLimitBytes, decodedLength, immutableDetail } from './config-map.ts';

const serviceAccountName = 'kubernetes.io/service-account.name';

/** Keys that secrets of a known type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = lookup({
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
});

export type Secret = t.Secret;
export const Secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  /** Text that was written for convenience becomes data. */
  applyDefaults(secret) {
    secret.type ||= 'Opaque';
    for (const key in secret.stringData) setOwn((secret.data ??= {}), key, encodeBase64(secret.stringData[key] ?? ''));
    delete secret.stringData;
    // JSON has no bytes: an empty value may come as null.
    for (const key in secret.data) secret.data[key] ??= '';
  },
  validate: validateSecret,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'type', next.type, previous.type);
    if (!previous.immutable) return errors;
    if (!next.immutable) errors.push(forbidden('immutable', immutableDetail));
    if (!equalMaps(next.data, previous.data)) errors.push(forbidden('data', immutableDetail));
    return errors;
  },
  selectableFields: { type: (secret) => secret.type ?? '' },
  warnings({ type, data }) {
    if (type !== 'kubernetes.io/tls') return [];
    const isPem = (key: string): boolean => decodeBase64(data?.[key] ?? '').includes('-----BEGIN ');
    if (!isPem('tls.crt')) return ['tls: failed to find any PEM data in certificate input'];
    return isPem('tls.key') ? [] : ['tls: failed to find any PEM data in key input'];
  },
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: (secret) => secret.type ?? '' },
    { name: 'Data', type: 'string', cell: (secret) => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
});

function validateSecret({ metadata, data = {}, type = '' }: Secret): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in data) {
    checkKey(errors, 'data', key);
    size += decodedLength(data[key] ?? '');
  }
  if (size > dataLimitBytes) errors.push(tooLong('data', dataLimitBytes));
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[serviceAccountName]) {
    errors.push(required(keyed('metadata.annotations', serviceAccountName)));
  }
  if (type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data)) {
    errors.push(required(keyed('data', 'username')), required(keyed('data', 'password')));
  }
  for (const key of requiredKeys[type] ?? []) {
    if (!(key in data)) errors.push(required(keyed('data', key)));
    else if (key.startsWith('.docker')) checkJson(errors, keyed('data', key), data[key] ?? '');
  }
  return errors;
}

function checkJson(errors: FieldError[], field: string, base64: string): void {
  const text = decodeBase64(base64).trim();
  try {
    JSON.parse(text);
  } catch {
    const detail = text ? 'invalid character in JSON' : 'unexpected end of JSON input';
    errors.push(invalid(field, '<secret contents redacted>', detail));
  }
}
