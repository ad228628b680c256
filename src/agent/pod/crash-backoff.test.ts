import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BackoffEntry, backoffEndMs, nextBackoff } from './crash-backoff.ts';

test('a container that keeps ending is restarted at once, then after 10 s, 20 s … 5 min', () => {
  let entry: BackoffEntry | undefined;
  let now = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const finishedAt = (now += 100);
    const resumeAt = Math.max(now, backoffEndMs(entry, finishedAt));
    pauses.push((resumeAt - finishedAt) / 1000);
    entry = nextBackoff(entry, finishedAt, (now = resumeAt));
  }
  assert.deepEqual(pauses, [0, 10, 20, 40, 80, 160, 300, 300]);
});

test('a container that ran for long starts from the beginning', () => {
  const entry = { delayMs: 300_000, updatedAtMs: 0 };
  assert.equal(backoffEndMs(entry, 3_600_000), 0);
  assert.equal(nextBackoff(entry, 3_600_000, 3_600_000).delayMs, 10_000);
});
