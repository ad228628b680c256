import { formatQuantity, parseQuantity } from '../../../lib/quantity.ts';

const nanosPerMilli = 1_000_000n;

/**
 * Writes the quantities of a resource list as the API serves them: canonical (`1000m` → `1`) and in steps of a thousandth, rounded up.
 * What is not a quantity stays, for validation to complain about.
 */
export function canonicalResources(list: Record<string, string> | undefined): void {
  for (const resource in list) list[resource] = canonicalAmount(list[resource]!);
}

/** One quantity in the form the API serves. Numbers are taken as text: YAML writes `cpu: 1`. */
export function canonicalQuantity(value: string | number): string {
  const text = String(value);
  if (isCanonical(text)) return text;
  const quantity = parseQuantity(text);
  return quantity ? formatQuantity(quantity) : text;
}

/** The same in steps of a thousandth, as amounts of resources are kept. */
function canonicalAmount(value: string | number): string {
  const text = String(value);
  const quantity = isCanonical(text) ? undefined : parseQuantity(text);
  if (!quantity) return text;
  const { nanos, format } = quantity;
  const rest = nanos % nanosPerMilli;
  return formatQuantity({ nanos: rest > 0n ? nanos - rest + nanosPerMilli : nanos, format });
}

const plain = /^([1-9]\d{0,14})(m|k|M|G|Ki|Mi|Gi)?$/;

/** Whether a whole amount cannot be said with a larger suffix; the many others take the exact way. */
function isCanonical(text: string): boolean {
  const match = plain.exec(text);
  if (!match) return false;
  return Number(match[1]) % (match[2]?.endsWith('i') ? 1024 : 1000) !== 0;
}
