/** Sets of completion indexes, as Jobs write them: `1,3-5,7`. */

/** Reads such a text; numbers not below `limit` are left out. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',').filter(Boolean)) {
    const [from = '', to = from] = part.split('-');
    for (let i = Number(from); i <= Number(to) && i < limit; i++) indexes.add(i);
  }
  return indexes;
}

/** Two in a row are written apart, three and more as a range, as upstream does. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    if (end - i >= 2) parts.push(`${sorted[i]}-${sorted[end]}`);
    else for (let j = i; j <= end; j++) parts.push(String(sorted[j]));
    i = end + 1;
  }
  return parts.join(',');
}
