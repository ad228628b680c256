import type { IntOrString } from '../../../api/generated/types.ts';

/** The number an int-or-percent field means for `total`; percentages round as told. Absent or malformed values count as 0. */
export function scaledValue(value: IntOrString | undefined, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value ?? '')?.[1];
  if (percent === undefined) return 0;
  const share = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}
