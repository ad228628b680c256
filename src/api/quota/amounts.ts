import { addQuantities, formatQuantity, parseQuantity, type Quantity, zeroQuantity } from '../../lib/quantity.ts';

/** Exact amounts by resource name. */
export type Amounts = Map<string, Quantity>;
type ResourceList = Readonly<Record<string, string>> | undefined;

/** Reads a resource list; what is no quantity counts as zero. */
export function amountsOf(list: ResourceList): Amounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(String(text)) ?? zeroQuantity]));
}

/** `count` whole things. */
export const pieces = (count: number): Quantity => ({ nanos: BigInt(count) * 1_000_000_000n, format: 'DecimalSI' });

/** The inverse of `amountsOf`. */
export function resourceListOf(amounts: ReadonlyMap<string, Quantity>): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, quantity]) => [name, formatQuantity(quantity)]));
}

/** Adds `more` to `total`. */
export function addAmounts(total: Amounts, more: ReadonlyMap<string, Quantity>): Amounts {
  for (const [name, quantity] of more) {
    const before = total.get(name);
    total.set(name, before ? addQuantities(before, quantity) : quantity);
  }
  return total;
}

/** Raises each amount of `total` to at least that of `floor`. */
export function raiseAmounts(total: Amounts, floor: ReadonlyMap<string, Quantity>): Amounts {
  for (const [name, quantity] of floor) {
    const before = total.get(name);
    if (!before || before.nanos < quantity.nanos) total.set(name, quantity);
  }
  return total;
}

/** What of `next` goes beyond `previous`; nothing is negative, and what did not grow is left out. */
export function growth(next: ReadonlyMap<string, Quantity>, previous: ReadonlyMap<string, Quantity>): Amounts {
  const grown: Amounts = new Map();
  for (const [name, { nanos, format }] of next) {
    const more = nanos - (previous.get(name)?.nanos ?? 0n);
    if (more > 0n) grown.set(name, { nanos: more, format });
  }
  return grown;
}
