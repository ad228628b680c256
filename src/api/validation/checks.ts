import type { FieldError } from '../field-error.ts';
import type { IntOrString } from '../generated/types.ts';
import { semanticEqual } from './equal.ts';
import { invalid, notSupported, required } from './errors.ts';
import { percent, portName, type TextRule } from './names.ts';

/**
 * Checks of one field. They push what they find onto `errors`, so that validating a good object allocates next to nothing.
 * A value of undefined or null is an absent field.
 */

export const fieldIsImmutable = 'field is immutable';
const maxPort = 65535;
export const maxInt32 = 2147483647;

/** Text that must follow a rule; absent and empty text is left alone. */
export function checkText(errors: FieldError[], field: string, value: string | undefined, rule: TextRule): void {
  if (!value) return;
  for (const problem of rule(value)) errors.push(invalid(field, value, problem));
}

/** Text that must follow a rule once it is there, even when it is empty. */
export function checkGiven(errors: FieldError[], field: string, value: string | undefined, rule: TextRule): void {
  if (value === undefined || value === null) return;
  for (const problem of rule(value)) errors.push(invalid(field, value, problem));
}

/** Every text of a list must follow a rule. */
export function checkEach(errors: FieldError[], field: string, values: readonly string[] | undefined, rule: TextRule): void {
  for (const [i, value] of (values ?? []).entries()) checkGiven(errors, `${field}[${i}]`, value, rule);
}

/** Text that must be there and follow a rule. */
export function requireText(errors: FieldError[], field: string, value: string | undefined, rule?: TextRule): void {
  if (!value) errors.push(required(field));
  else if (rule) checkText(errors, field, value, rule);
}

/** One of a list of values; absent is left alone. */
export function checkEnum(errors: FieldError[], field: string, value: string | undefined, supported: readonly string[]): void {
  if (value === undefined || value === null || supported.includes(value)) return;
  errors.push(notSupported(field, value, supported));
}

/** One of a list of values; absent or empty is an error too. */
export function requireEnum(errors: FieldError[], field: string, value: string | undefined, supported: readonly string[]): void {
  if (!value) errors.push(required(field));
  else checkEnum(errors, field, value, supported);
}

export function checkNonNegative(errors: FieldError[], field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalid(field, value, 'must be greater than or equal to 0'));
}

export function checkPositive(errors: FieldError[], field: string, value: number | undefined): void {
  if (value !== undefined && value <= 0) errors.push(invalid(field, value, 'must be greater than zero'));
}

export function checkRange(
  errors: FieldError[],
  field: string,
  value: number | undefined,
  range: readonly [number, number],
): void {
  if (value === undefined || value === null || (value >= range[0] && value <= range[1])) return;
  errors.push(invalid(field, value, `must be between ${range[0]} and ${range[1]}, inclusive`));
}

export function checkPort(errors: FieldError[], field: string, port: number | undefined): void {
  checkRange(errors, field, port, [1, maxPort]);
}

/** A port number or the name of a port. */
export function checkPortOrName(errors: FieldError[], field: string, port: IntOrString | undefined): void {
  if (typeof port === 'string') {
    for (const problem of portName(port)) errors.push(invalid(field, port, problem));
  } else checkPort(errors, field, port ?? 0);
}

/** A number ≥ 0 or a percentage, as for maxUnavailable. */
export function checkCountOrPercent(errors: FieldError[], field: string, value: IntOrString | undefined): void {
  if (typeof value === 'string') {
    for (const problem of percent(value)) errors.push(invalid(field, value, problem));
  } else if (typeof value === 'number') checkNonNegative(errors, field, value);
}

/** More than 100 % of something makes no sense for most percentages. */
export function checkAtMost100Percent(errors: FieldError[], field: string, value: IntOrString | undefined): void {
  if (typeof value === 'string' && percentOf(value) > 100) errors.push(invalid(field, value, 'must not be greater than 100%'));
}

/** The number of `25%`; NaN for anything else. */
export function percentOf(text: string): number {
  return percent(text).length === 0 ? Number(text.slice(0, -1)) : Number.NaN;
}

/** A field that keeps its first value. */
export function checkImmutable(errors: FieldError[], field: string, next: unknown, previous: unknown): void {
  if (!semanticEqual(next, previous)) errors.push(invalid(field, next, fieldIsImmutable));
}
