/** What stands where nothing is. */
export const absent = '<absent>';

/** Every place where two values differ, as JSON pointers; arrays of different lengths differ as a whole. The values are those of `got`. */
export function differingPlaces(expected: unknown, got: unknown, at = ''): Record<string, unknown> {
  if (isParted(expected) && isParted(got) && Array.isArray(expected) === Array.isArray(got)) {
    if (!Array.isArray(expected) || expected.length === (got as unknown as unknown[]).length) {
      const names = new Set([...Object.keys(expected), ...Object.keys(got)]);
      return Object.assign(
        {},
        ...[...names].map((name) => differingPlaces(expected[name], got[name], `${at}/${name.replaceAll('/', '~1')}`)),
      );
    }
  }
  if (isCutVersion(expected, got) || JSON.stringify(expected) === JSON.stringify(got)) return {};
  return { [at]: got === undefined ? absent : got };
}

function isParted(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Long texts were cut while recording. */
function isCutVersion(expected: unknown, got: unknown): boolean {
  if (typeof expected !== 'string' || !expected.endsWith('…')) return false;
  return typeof got === 'string' && got.startsWith(expected.slice(0, -1));
}
