import type { FieldError } from '../field-error.ts';

/** Builders of FieldError with upstream's texts (kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go). */

export function required(field: string, detail = ''): FieldError {
  return { reason: 'FieldValueRequired', field, message: withDetail('Required value', detail) };
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) };
}

/** `value` is printed: strings quoted, the rest as JSON. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return invalidAsPrinted(field, printed(value), detail);
}

/** As `invalid`, for many problems of one large value: it is printed once for all of them. */
export function invalidAsPrinted(field: string, value: string, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: withDetail(`Invalid value: ${value}`, detail) };
}

/** `supported` is printed in the order given; upstream sorts most of its lists. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}` : '';
  return { reason: 'FieldValueNotSupported', field, message: withDetail(`Unsupported value: ${printed(value)}`, detail) };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${printed(value)}` };
}

export function notFound(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueNotFound', field, message: `Not found: ${printed(value)}` };
}

/** `limitBytes` in bytes; the value itself is left out of the message. */
export function tooLong(field: string, limitBytes: number): FieldError {
  const unit = limitBytes === 1 ? 'byte' : 'bytes';
  return { reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${limitBytes} ${unit}` };
}

export function tooMany(field: string, actual: number, limit: number): FieldError {
  const unit = limit === 1 ? 'item' : 'items';
  return { reason: 'FieldValueTooMany', field, message: `Too many: ${actual}: must have at most ${limit} ${unit}` };
}

function withDetail(text: string, detail: string): string {
  return detail === '' ? text : `${text}: ${detail}`;
}

/** A value as messages show it. */
export function printed(value: unknown): string {
  return JSON.stringify(value ?? null);
}
