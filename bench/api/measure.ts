import type { Target } from './target.ts';

/** Calls a second, how long one took (milliseconds) and what it cost the server (milliseconds of CPU; only where its processes are known). */
export interface Sample {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMs?: number;
}

/** Does `work` for 0 … count-1 with `clients` at a time, which are connected before. */
export async function timed(
  target: Target,
  { count, clients }: { readonly count: number; readonly clients: number },
  work: (i: number) => Promise<unknown>,
): Promise<Sample> {
  const tookMs: number[] = [];
  let next = 0;
  await target.connect(clients);
  const finish = started(target);
  const client = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const sentAt = performance.now();
      await work(i);
      tookMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return finish(tookMs, count);
}

/** Begins a measurement now; the returned function ends it, after `count` calls that took `tookMs`. */
export function started(target: Target): (tookMs: number[], count: number) => Sample {
  const cpuBefore = target.cpuMs();
  const startedAt = performance.now();
  return (tookMs, count) => {
    const totalMs = performance.now() - startedAt;
    tookMs.sort((a, b) => a - b);
    const sample = { rate: (count / totalMs) * 1000, p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) };
    return cpuBefore === undefined ? sample : { ...sample, cpuMs: (target.cpuMs()! - cpuBefore) / count };
  };
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
