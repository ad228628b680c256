import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlowWatches } from './slow-watches.ts';

const mib = 1024 * 1024;

test('one slow watch may have 8 MiB, many share 64 MiB', () => {
  const watches = new SlowWatches();
  const first = {};
  assert.equal(watches.isTooSlow(first, 8 * mib), false);
  assert.equal(watches.isTooSlow(first, 8 * mib + 1), true);
  const others = Array.from({ length: 31 }, () => ({}));
  for (const other of others) assert.equal(watches.isTooSlow(other, mib), false);
  assert.equal(watches.isTooSlow(first, 2 * mib), false, '32 have 2 MiB each');
  assert.equal(watches.isTooSlow(first, 2 * mib + 1), true);
});

test('a watch that catches up or ends leaves its share to the others', () => {
  const watches = new SlowWatches();
  const others = Array.from({ length: 16 }, () => ({}));
  for (const other of others) watches.isTooSlow(other, mib);
  assert.equal(watches.isTooSlow({}, 5 * mib), true);
  for (const [i, other] of others.entries()) {
    if (i % 2 === 0) watches.forget(other);
    else assert.equal(watches.isTooSlow(other, 1000), false);
  }
  assert.equal(watches.isTooSlow({}, 5 * mib), false);
});

test('what was there when watches began, and is not taken, is 64 MiB at most: then the watch that has most is aborted', () => {
  const watches = new SlowWatches();
  const aborted: string[] = [];
  const wait = (name: string, mib: number): object => {
    const watch = { name };
    watches.waitsFor(watch, mib * 1024 * 1024, () => aborted.push(name));
    return watch;
  };
  const first = wait('a', 30);
  wait('b', 20);
  watches.taken(first);
  wait('c', 31);
  assert.deepEqual(aborted, []);
  wait('d', 20);
  assert.deepEqual(aborted, ['c']);
  const last = wait('e', 20);
  watches.forget(last);
  wait('f', 20);
  assert.deepEqual(aborted, ['c']);
});
