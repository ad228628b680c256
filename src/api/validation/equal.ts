/**
 * Whether two API values say the same: deep equality in which null, undefined and an empty list are alike (upstream's
 * `equality.Semantic.DeepEqual`). An empty object differs from an absent one: `emptyDir: {}` is a volume source.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  return equalObjects(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** Semantic equality of maps, where an empty one and none are alike. */
export function equalMaps(a: object | undefined, b: object | undefined): boolean {
  return semanticEqual(a ?? {}, b ?? {});
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!semanticEqual(a[i], b[i])) return false;
  return true;
}

function equalObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  for (const key in a) if (!semanticEqual(a[key], b[key])) return false;
  for (const key in b) if (!(key in a) && !isAbsent(b[key])) return false;
  return true;
}
