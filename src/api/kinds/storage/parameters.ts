import type { FieldError } from '../../field-error.ts';
import { invalid, tooLong } from '../../validation/errors.ts';

const maxParameters = 512;
const maxTotalBytes = 256 * 1024;

/** Free-form parameters of storage classes and volume attributes classes. */
export function checkParameters(errors: FieldError[], parameters: Readonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > maxParameters) errors.push(tooLong('parameters', maxParameters));
  let size = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(invalid('parameters', key, 'field can not be empty.'));
    size += key.length + value.length;
  }
  if (size > maxTotalBytes) errors.push(tooLong('parameters', maxTotalBytes));
}
