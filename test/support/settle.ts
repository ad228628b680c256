/** Turns of the event loop without a change after which everything in memory has come to rest. */
export const quietTurns = 8;
const maxTurns = 5_000;

/** Resolves when `progress` has given the same value for a while: all promises, microtasks and immediates have run. No real time passes. */
export async function settle(progress: () => unknown): Promise<void> {
  let last = progress();
  let quiet = 0;
  for (let turn = 0; turn < maxTurns; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const now = progress();
    quiet = now === last ? quiet + 1 : 0;
    last = now;
    if (quiet >= quietTurns) return;
  }
  throw new Error(`still changing after ${maxTurns} turns: ${String(progress())}`);
}
