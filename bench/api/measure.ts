/** Calls a second, and how long one took (milliseconds). */
export interface Sample {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/** Does `work` for 0 … count-1 with `clients` at a time. */
export async function timed(count: number, clients: number, work: (i: number) => Promise<unknown>): Promise<Sample> {
  const tookMs: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const client = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const sentAt = performance.now();
      await work(i);
      tookMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return summary(tookMs, count, performance.now() - startedAt);
}

export function summary(tookMs: number[], count: number, totalMs: number): Sample {
  tookMs.sort((a, b) => a - b);
  return { rate: (count / totalMs) * 1000, p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) };
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
