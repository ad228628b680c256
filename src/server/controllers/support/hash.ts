/** JSON text that does not depend on the order of fields. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name for a value: FNV-1a over its canonical JSON, written in the alphabet of generated names (no vowels, no bad words). */
export function shortHash(value: unknown, salt: number | undefined): string {
  let hash = 0x811c9dc5;
  const text = canonicalJson(value) + (salt === undefined ? '' : String(salt));
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return [...String(hash >>> 0)].map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length]).join('');
}
