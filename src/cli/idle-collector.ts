import type { Clock } from '../lib/clock.ts';

/** How often the process is looked at. */
const checkMs = 15_000;
/** Using less CPU than this between two looks means that a burst has ended. */
const idleCpuMs = 400;
/** Using more means a load that goes on, or begins: a third of a core. */
const busyCpuMs = 5_000;
/** A collection is worth its CPU only when the heap may have grown. */
const burstCpuMs = 1_500;

/**
 * Gives memory back after a burst of work: one full collection when the process has become idle, none while it stays so. `onBusy` is called at
 * every look that finds it busy.
 */
export function createIdleCollector(deps: {
  clock: Clock;
  collect: () => void;
  onBusy?: (() => void) | undefined;
  cpuMs?: () => number;
}): {
  start(): void;
  stop(): void;
} {
  const cpuMs = deps.cpuMs ?? processCpuMs;
  let cancel: (() => void) | undefined;
  let lastMs = 0;
  let sinceCollectionMs = 0;
  const look = (): void => {
    const now = cpuMs();
    const usedMs = now - lastMs;
    lastMs = now;
    sinceCollectionMs += usedMs;
    if (usedMs < idleCpuMs && sinceCollectionMs >= burstCpuMs) {
      deps.collect();
      lastMs = cpuMs();
      sinceCollectionMs = 0;
    }
    if (usedMs >= busyCpuMs) deps.onBusy?.();
    cancel = deps.clock.after(checkMs, look);
  };
  return {
    start() {
      // All of the start counts as a burst.
      lastMs = cpuMs();
      sinceCollectionMs = burstCpuMs;
      cancel = deps.clock.after(checkMs, look);
    },
    stop() {
      cancel?.();
    },
  };
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
