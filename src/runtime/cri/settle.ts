import { setTimeout as delay } from 'node:timers/promises';

const settlingMs = 3000;
const firstPauseMs = 4;

/** containerd tells of an exit before CRI knows it: asks again until `settled`, or until waiting longer would do no good. */
export async function settle(settled: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + settlingMs;
  for (let pauseMs = firstPauseMs; !(await settled()) && performance.now() < deadline; pauseMs *= 2) await delay(pauseMs);
}
