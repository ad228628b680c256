/** How long a container that keeps ending waits before it is started again. */
export interface BackoffEntry {
  readonly delayMs: number;
  readonly updatedAtMs: number;
}

const initialMs = 10_000;
const maxCrashBackoffMs = 300_000;
/** A container that ran this long starts from the beginning. */
const forgetAfterMs = 2 * maxCrashBackoffMs;

/** The delay after one more restart: 10 s, doubled each time up to 5 min. `eventAtMs` is when the container ended. */
export function nextBackoff(entry: BackoffEntry | undefined, eventAtMs: number, nowMs: number): BackoffEntry {
  const fresh = entry === undefined || eventAtMs - entry.updatedAtMs > forgetAfterMs;
  return { delayMs: fresh ? initialMs : Math.min(entry.delayMs * 2, maxCrashBackoffMs), updatedAtMs: nowMs };
}

/** When a container that ended at `finishedAtMs` may be started again. */
export function backoffEndMs(entry: BackoffEntry | undefined, finishedAtMs: number): number {
  if (entry === undefined || finishedAtMs - entry.updatedAtMs > forgetAfterMs) return 0;
  return finishedAtMs + entry.delayMs;
}
