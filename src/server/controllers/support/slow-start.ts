/**
 * Calls `work` `count` times in batches of 1, 2, 4, … and stops after the batch in which one failed: when a quota refuses the first
 * pod, the other 499 are not even tried. Resolves with the first error, or undefined.
 */
export async function slowStart(count: number, work: () => Promise<void>): Promise<unknown> {
  let left = count;
  for (let batch = Math.min(1, left); batch > 0; batch = Math.min(batch * 2, left)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, work));
    const failed = results.find((r) => r.status === 'rejected');
    if (failed) return failed.reason;
    left -= batch;
  }
  return undefined;
}
