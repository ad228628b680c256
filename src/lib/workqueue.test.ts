import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backoff, backoffDelayMs } from './backoff.ts';
import { FakeClock } from './clock.ts';
import { WorkQueue } from './workqueue.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const backoff = { initialMs: 100, maxMs: 1000 };

describe('WorkQueue', () => {
  it('hands out each key once, in order, never one key to two workers', async () => {
    const seen: string[] = [];
    const release: (() => void)[] = [];
    const queue = new WorkQueue({
      work: (key) => {
        seen.push(key);
        return new Promise<void>((resolve) => release.push(resolve));
      },
      concurrency: 2,
      backoff,
      clock: new FakeClock(),
    });
    for (const key of ['a', 'b', 'a', 'c']) queue.add(key);
    queue.start();
    await turn();
    assert.deepEqual(seen, ['a', 'b']);
    queue.add('a');
    await turn();
    assert.deepEqual(seen, ['a', 'b']);
    release[0]?.();
    await turn();
    assert.deepEqual(seen, ['a', 'b', 'c']);
    release[1]?.();
    await turn();
    assert.deepEqual(seen, ['a', 'b', 'c', 'a']);
    const stopped = queue.stop();
    for (const end of release) end();
    await stopped;
  });

  it('brings a failed key back later each time, and from the start after a success', async () => {
    const clock = new FakeClock();
    const retries: number[] = [];
    let fail = true;
    let runs = 0;
    const queue = new WorkQueue({
      work: async () => {
        runs++;
        if (fail) throw new Error('no');
      },
      concurrency: 1,
      backoff,
      clock,
      onError: (_key, _error, retryMs) => retries.push(retryMs),
    });
    queue.start();
    queue.add('a');
    await turn();
    clock.advance(100);
    await turn();
    clock.advance(200);
    await turn();
    assert.deepEqual(retries, [100, 200, 400]);
    fail = false;
    clock.advance(400);
    await turn();
    assert.equal(runs, 4);
    assert.equal(queue.delayed, 0);
    await queue.stop();
  });

  it('keeps the earlier of two delays, and an immediate add ends the delay', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const queue = new WorkQueue({ work: async () => void runs++, concurrency: 1, backoff, clock });
    queue.start();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 50);
    queue.addAfter('a', 500);
    clock.advance(50);
    await turn();
    assert.equal(runs, 1);
    queue.addAfter('a', 1000);
    queue.add('a');
    await turn();
    clock.advance(5000);
    await turn();
    assert.equal(runs, 2);
    await queue.stop();
  });
});

describe('backoff', () => {
  it('doubles up to the maximum, with chance on top', () => {
    assert.deepEqual(
      [0, 1, 2, 5].map((n) => backoffDelayMs(backoff, n)),
      [100, 200, 400, 1000],
    );
    assert.equal(
      backoffDelayMs({ ...backoff, jitter: 0.5 }, 0, () => 1),
      150,
    );
    const counter = new Backoff(backoff);
    assert.deepEqual([counter.next(), counter.next()], [100, 200]);
    counter.reset();
    assert.equal(counter.next(), 100);
  });
});
