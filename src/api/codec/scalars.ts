import { DurationError, formatDuration, parseDuration } from '../../lib/duration.ts';
import { canonicalQuantity, quantityProblem } from '../../lib/quantity.ts';
import type { ValueType } from '../schema/type-schema.ts';

/** The canonical form of a scalar that is more than a JSON scalar, or undefined when the value is none. */
export function canonicalScalar(type: ValueType, value: unknown): unknown {
  switch (type) {
    case 'quantity':
      return canonicalQuantityOf(value);
    case 'time':
      return typeof value === 'string' ? canonicalTime(value, 0) : undefined;
    case 'microTime':
      return typeof value === 'string' ? canonicalTime(value, 6) : undefined;
    case 'duration':
      return typeof value === 'string' ? canonicalDuration(value) : undefined;
    case 'bytes':
      return typeof value === 'string' ? canonicalBase64(value) : undefined;
    default:
      return undefined;
  }
}

/** Why a scalar that `canonicalScalar` refused is none, in upstream's words. `source` is its JSON text: a string, or any value for quantities. */
export function scalarProblem(type: ValueType, source: string): string {
  const text = source.startsWith('"') ? (JSON.parse(source) as string) : source;
  switch (type) {
    case 'quantity':
      return quantityProblem(text.trim());
    case 'microTime':
      return timeProblem(text, '2006-01-02T15:04:05.000000Z07:00');
    case 'duration':
      return durationProblem(text);
    case 'bytes':
      return base64Problem(text);
    default:
      return timeProblem(text, '2006-01-02T15:04:05Z07:00');
  }
}

function canonicalQuantityOf(value: unknown): string | undefined {
  if (typeof value === 'number') return canonicalQuantity(String(value));
  return typeof value === 'string' ? canonicalQuantity(value.trim()) : undefined;
}

/** What nearly all times look like: canonical, and a day every month has. */
const plainTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,](\d+))?(?:Z|[+-]\d\d:\d\d)$/;

/** RFC 3339 in UTC with a fixed number of decimals; more precise times are cut, as upstream cuts them. */
function canonicalTime(text: string, decimals: 0 | 6): string | undefined {
  if (decimals === 0 && plainTime.test(text)) return text;
  const m = rfc3339.exec(text);
  if (!m) return undefined;
  const ms = Date.parse(text.replace(',', '.').replace(/\.\d+/, ''));
  // Date.parse takes the 31st of February for March; Go does not.
  if (Number.isNaN(ms) || !isRealDay(text)) return undefined;
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return decimals === 0 ? `${seconds}Z` : `${seconds}.${(m[1] ?? '').padEnd(6, '0').slice(0, 6)}Z`;
}

function isRealDay(text: string): boolean {
  const day = text.slice(0, 10);
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === day;
}

/** Go's time.Parse names the layout element at which the text stops matching. */
function timeProblem(text: string, layout: string): string {
  const elements: readonly (readonly [element: string, pattern: RegExp])[] = [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d\d/],
    ['-', /^-/],
    ['02', /^\d\d/],
    ['T', /^T/],
    ['15', /^\d\d/],
    [':', /^:/],
    ['04', /^\d\d/],
    [':', /^:/],
    ['05', /^\d\d/],
    ...(layout.includes('.000000') ? [['.000000', /^[.,]\d{6}/] as const] : []),
    ['Z07:00', /^(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)/],
  ];
  const head = `parsing time ${JSON.stringify(text)}`;
  let rest = text;
  for (const [element, pattern] of elements) {
    const m = pattern.exec(rest);
    if (!m) return `${head} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element}"`;
    rest = rest.slice(m[0].length);
  }
  if (rest !== '') return `${head}: extra text: ${JSON.stringify(rest)}`;
  return `${head}: ${outOfRange(text)} out of range`;
}

function outOfRange(text: string): string {
  const [month = 0, day = 0, hour = 0, minute = 0] = [
    text.slice(5, 7),
    text.slice(8, 10),
    text.slice(11, 13),
    text.slice(14, 16),
  ].map(Number);
  if (month < 1 || month > 12) return 'month';
  if (day < 1 || day > 31 || !isRealDay(text)) return 'day';
  return hour > 23 ? 'hour' : minute > 59 ? 'minute' : 'second';
}

function canonicalDuration(text: string): string | undefined {
  try {
    return formatDuration(parseDuration(text));
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}

function durationProblem(text: string): string {
  try {
    parseDuration(text);
    return '';
  } catch (error) {
    if (error instanceof DurationError) return error.message;
    throw error;
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Line breaks are dropped, as Go's decoder does. */
function canonicalBase64(text: string): string | undefined {
  const joined = text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, '') : text;
  return joined.length % 4 === 0 && base64.test(joined) ? joined : undefined;
}

function base64Problem(text: string): string {
  const bad = /[^A-Za-z0-9+/\r\n]/.exec(text);
  return `illegal base64 data at input byte ${bad ? bad.index : text.length - (text.length % 4)}`;
}
