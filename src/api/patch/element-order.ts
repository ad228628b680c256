/** What tells items apart: two with the same identity are the same item. */
export type ListIdentity = (item: unknown) => unknown;

/**
 * Sorts `items`: those that `order` names as it says, the others in the order of `before`, and each of the others before the first named item
 * that came after it in `before`. So items that are new come before those that were there.
 */
export function inOrder<T>(
  items: readonly T[],
  order: readonly unknown[],
  before: readonly unknown[],
  identity: ListIdentity,
): T[] {
  const named = positions(order, identity);
  const earlier = positions(before, identity);
  const place = (among: ReadonlyMap<unknown, number>, item: T): number => among.get(identity(item)) ?? Number.POSITIVE_INFINITY;
  const by = (among: ReadonlyMap<unknown, number>) => (a: T, b: T) => compare(place(among, a), place(among, b));
  const left = items.filter((item) => !named.has(identity(item))).sort(by(earlier));
  const right = items.filter((item) => named.has(identity(item))).sort(by(named));
  const result: T[] = [];
  let l = 0;
  for (const item of right) {
    const at = earlier.get(identity(item));
    while (at !== undefined && l < left.length && place(earlier, left[l]!) < at) result.push(left[l++]!);
    result.push(item);
  }
  return [...result, ...left.slice(l)];
}

/** Throws what `error` makes unless `items` appear in `order`, in the same relative order. */
export function checkOrder(
  items: readonly unknown[],
  order: readonly unknown[],
  identity: ListIdentity,
  error: () => Error,
): void {
  let at = 0;
  for (const item of items) {
    while (at < order.length && identity(order[at]) !== identity(item)) at++;
    if (at++ >= order.length) throw error();
  }
}

/** Where the first item of each identity is. */
export function positions(list: readonly unknown[], identity: ListIdentity): Map<unknown, number> {
  const found = new Map<unknown, number>();
  for (const [i, item] of list.entries()) if (!found.has(identity(item))) found.set(identity(item), i);
  return found;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
