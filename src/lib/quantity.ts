/** How a quantity was written, and is written back. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

/** An amount of a resource, exact to a billionth. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

const nanosPerUnit = 1_000_000_000n;
/** Upstream caps amounts at 2^63-1 whole units. */
const maxNanos = (2n ** 63n - 1n) * nanosPerUnit;
/** The longest text that is looked at; a longer one cannot be meant. */
const maxTextLength = 128;
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const syntax = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d+))$/;

/**
 * Reads a quantity: `100m`, `1.5Gi`, `2e3`. Undefined when the text is none. What is smaller than a billionth is rounded up, what is larger
 * than 2^63-1 is capped, as upstream does (apimachinery/pkg/api/resource/quantity.go).
 */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text.length > maxTextLength ? null : syntax.exec(text);
  if (!match) return undefined;
  const [, sign, number = '', binary, decimal = '', exponent] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const digits = BigInt(whole + fraction || '0');
  const nanos = binary
    ? divideUp(digits * nanosPerUnit * 1024n ** BigInt(binarySuffixes.indexOf(binary)), 10n ** BigInt(fraction.length))
    : timesPowerOfTen(
        digits,
        9 - fraction.length + (exponent === undefined ? 3 * (decimalSuffixes.indexOf(decimal) - 3) : Number(exponent)),
      );
  const magnitude = nanos > maxNanos ? maxNanos : nanos;
  return {
    nanos: sign === '-' ? -magnitude : magnitude,
    format: binary ? 'BinarySI' : exponent === undefined ? 'DecimalSI' : 'DecimalExponent',
  };
}

/** Bounded: an exponent of a million digits costs nothing. */
function timesPowerOfTen(digits: bigint, power: number): bigint {
  if (digits === 0n) return 0n;
  if (power > maxTextLength) return maxNanos;
  if (power < -2 * maxTextLength) return 1n;
  return power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
}

function divideUp(amount: bigint, divisor: bigint): bigint {
  return (amount + divisor - 1n) / divisor;
}

/** What the expression in the message below takes, written so that no digit can belong to either part: texts of megabytes are tried once. */
const numberAndSuffix = /^([+-]?[0-9.]+)(?:(?:[eEinumkKMGTP]+[-+]?|[-+])[0-9]*)?$/;

/** Upstream's words for a text that is no quantity. */
export function quantityProblem(text: string): string {
  const match = numberAndSuffix.exec(text);
  if (!match) return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  return syntax.test(match[1]!) ? "unable to parse quantity's suffix" : 'unable to parse numeric part of quantity';
}

/** The canonical text: a whole number with the largest suffix that keeps it exact. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const size = nanos < 0n ? -nanos : nanos;
  const isWhole = size % nanosPerUnit === 0n;
  if (format === 'BinarySI' && isWhole && size >= 1024n * nanosPerUnit) return binaryText(nanos / nanosPerUnit);
  let power = -9;
  let mantissa = nanos;
  const step = 1000n;
  while (mantissa % step === 0n && power < 18) {
    mantissa /= step;
    power += 3;
  }
  if (format === 'DecimalExponent') return power === 0 ? String(mantissa) : `${mantissa}e${power}`;
  return `${mantissa}${decimalSuffixes[power / 3 + 3]}`;
}

function binaryText(units: bigint): string {
  let mantissa = units;
  let suffix = 0;
  while (mantissa % 1024n === 0n && suffix < binarySuffixes.length - 1) {
    mantissa /= 1024n;
    suffix++;
  }
  return `${mantissa}${binarySuffixes[suffix]}`;
}

/** The canonical form of a quantity's text; undefined when it is none. */
export function canonicalQuantity(text: string): string | undefined {
  // Most quantities are small and canonical already.
  if (/^(?:[1-9]\d{0,2}(?:m|Mi|Gi)?|0)$/.test(text)) return text;
  const quantity = parseQuantity(text);
  return quantity && formatQuantity(quantity);
}

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format };
}

export const zeroQuantity: Quantity = { nanos: 0n, format: 'DecimalSI' };

/** Whole units, rounded up; 0 for an absent or malformed quantity. For sizes in bytes and counts. */
export function quantityValue(text: string | undefined): number {
  return inSteps(text, nanosPerUnit);
}

/** Thousandths, rounded up; 0 for an absent or malformed quantity. For CPU. */
export function quantityMilliValue(text: string | undefined): number {
  return inSteps(text, 1_000_000n);
}

function inSteps(text: string | undefined, step: bigint): number {
  const nanos = text === undefined ? 0n : (parseQuantity(String(text))?.nanos ?? 0n);
  return Number(nanos > 0n ? (nanos + step - 1n) / step : nanos / step);
}
