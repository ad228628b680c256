import { UsageError } from './usage-error.ts';

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `24h`, `30m`, `7d` in milliseconds. Throws UsageError. */
export function durationMs(text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (!match) throw new UsageError(`${JSON.stringify(text)} is not a duration; write for example 30m, 24h or 7d`);
  return Number(match[1]) * unitsMs[match[2]!]!;
}
