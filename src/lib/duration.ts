/** Go's time.Duration as text (`1h30m0s`, `250ms`), counted in nanoseconds. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

const unitNanos = new Map<string, bigint>([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const maxNanos = 2n ** 63n - 1n;
/** The longest text looked at. */
const maxTextLength = 256;

/** Reads what Go's time.ParseDuration reads; returns nanoseconds. Throws DurationError with Go's text. */
export function parseDuration(text: string): bigint {
  const invalid = (): DurationError => new DurationError(`time: invalid duration ${JSON.stringify(text)}`);
  if (text.length > maxTextLength) throw invalid();
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0n;
  if (rest === '') throw invalid();
  let total = 0n;
  while (rest !== '') {
    const m = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest)!;
    const [all, whole = '', fraction = '', unit = ''] = m;
    if (whole === '' && fraction === '') throw invalid();
    if (unit === '') throw new DurationError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const nanos = unitNanos.get(unit);
    if (nanos === undefined)
      throw new DurationError(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += BigInt(whole || '0') * nanos + (BigInt(fraction || '0') * nanos) / 10n ** BigInt(fraction.length);
    rest = rest.slice(all.length);
  }
  if (total > maxNanos) throw invalid();
  return text.startsWith('-') ? -total : total;
}

/** Go's Duration.String(): `0s`, `1.5ms`, `1h0m0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const n = nanos < 0n ? -nanos : nanos;
  if (n < 1_000n) return `${sign}${n}ns`;
  if (n < 1_000_000n) return `${sign}${decimal(n, 3)}µs`;
  if (n < 1_000_000_000n) return `${sign}${decimal(n, 6)}ms`;
  const hours = n / unitNanos.get('h')!;
  const minutes = (n / unitNanos.get('m')!) % 60n;
  const seconds = decimal(n % unitNanos.get('m')!, 9);
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}s`;
}

/** n / 10^digits without trailing zeros. */
function decimal(n: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const fraction = (n % unit).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${n / unit}` : `${n / unit}.${fraction}`;
}
