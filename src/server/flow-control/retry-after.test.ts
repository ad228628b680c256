import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RetryAfter } from './retry-after.ts';

/** What is said at the beginning of each second, when so many are turned away in each. */
function told(...counts: number[]): number[] {
  const after = new RetryAfter();
  return counts.map((count, second) => {
    for (let n = 0; n < count; n++) after.note(second + n / count);
    return after.seconds;
  });
}

describe('Retry-After', () => {
  it('is a second for few', () => assert.deepEqual(told(1, 2, 1, 2, 2), [1, 1, 1, 1, 1]));

  it('doubles for many, when the last raise has had its time', () =>
    assert.deepEqual(told(3, 9, 9, 9, 9, 9, 9, 9), [1, 2, 2, 4, 4, 4, 4, 8]));

  it('ends at 32', () => assert.equal(told(...Array.from({ length: 200 }, () => 100)).at(-1), 32));

  it('goes down by a second when fewer come', () => {
    const rare = [0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1];
    assert.deepEqual(told(3, 9, 9, 9, ...rare), [1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1]);
  });

  it('stays as it is for as many as before', () => assert.deepEqual(told(3, 1, 1, 1, 1, 1), [1, 2, 2, 2, 2, 2]));

  it('a pause is forgotten', () => {
    const after = new RetryAfter();
    for (let n = 0; n < 9; n++) after.note(0);
    after.note(1);
    assert.equal(after.seconds, 2);
    after.note(1000);
    assert.equal(after.seconds, 1);
    after.note(1001);
    assert.equal(after.seconds, 1);
  });
});
