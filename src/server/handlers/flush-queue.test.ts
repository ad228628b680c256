import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../../lib/clock.ts';
import { BookmarkTicker } from './bookmark-ticker.ts';
import { FlushQueue, type GatheringStream } from './flush-queue.ts';

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the flush queue', () => {
  function setup() {
    const clock = new FakeClock();
    const queue = new FlushQueue(clock);
    const flushed: string[] = [];
    const stream = (name: string): GatheringStream => ({ writtenIn: 0, flush: () => flushed.push(name) });
    return { clock, queue, flushed, stream };
  }

  it('flushes in the next turn, and what follows shortly after in one go', async () => {
    const { clock, queue, flushed, stream } = setup();
    const [a, b] = [stream('a'), stream('b')];
    queue.add(a);
    assert.deepEqual(flushed, []);
    await endOfTurn();
    assert.deepEqual(flushed, ['a']);
    queue.add(a);
    queue.add(b);
    await endOfTurn();
    assert.deepEqual(flushed, ['a', 'b'], 'b had nothing for a while: it does not wait');
    clock.advance(1);
    await endOfTurn();
    assert.deepEqual(flushed, ['a', 'b', 'a']);
    queue.add(a);
    await endOfTurn();
    assert.equal(flushed.length, 3, 'still a burst');
    clock.advance(1);
    await endOfTurn();
    assert.equal(flushed.length, 4);
  });

  for (const { name, writingMs, gatherMs } of [
    { name: 'eight times as long as writing took', writingMs: 0.5, gatherMs: 4 },
    { name: 'at most 10 ms', writingMs: 30, gatherMs: 10 },
  ]) {
    it(`gathers ${name}`, async () => {
      const { clock, queue } = setup();
      let flushes = 0;
      const slow = {
        writtenIn: 0,
        flush: () => {
          flushes++;
          clock.advance(writingMs);
        },
      };
      queue.add(slow);
      await endOfTurn();
      queue.add(slow);
      await endOfTurn();
      clock.advance(gatherMs - 0.25);
      await endOfTurn();
      assert.equal(flushes, 1);
      clock.advance(0.25);
      await endOfTurn();
      assert.equal(flushes, 2);
    });
  }

  it('lets others have their turn between some streams and the next', async () => {
    const { clock, queue, flushed, stream } = setup();
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    const streams = names.map(stream);
    for (const one of streams) queue.add(one);
    await endOfTurn();
    assert.deepEqual(flushed, names.slice(0, 8));
    queue.add(streams[0]!);
    await endOfTurn();
    await endOfTurn();
    assert.deepEqual(flushed, names, 'one that was written to waits for the next time');
    await endOfTurn();
    clock.advance(10);
    await endOfTurn();
    assert.deepEqual(flushed, [...names, 's0']);
  });

  it('has no timer when nothing happens, and is quick again after a pause', async () => {
    const { clock, queue, flushed, stream } = setup();
    const a = stream('a');
    queue.add(a);
    await endOfTurn();
    await endOfTurn();
    clock.advance(10);
    assert.equal(clock.pending, 0);
    queue.add(a);
    await endOfTurn();
    assert.equal(flushed.length, 2);
  });

  it('joins the same parts once for all that are flushed together', () => {
    const { queue } = setup();
    const [x, y, z] = ['x', 'y', 'z'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
    assert.equal(queue.joined([x]), x);
    const joined = queue.joined([x, y]);
    assert.equal(joined.toString(), 'xy');
    assert.equal(queue.joined([x, y]), joined);
    assert.equal(queue.joined([x, z]).toString(), 'xz');
    assert.equal(queue.joined([x, z, y]).toString(), 'xzy');
  });
});

describe('the ticker of bookmarks', () => {
  it('ticks once a minute for all, while there are watches', () => {
    const clock = new FakeClock();
    const ticker = new BookmarkTicker(clock);
    const ticks: string[] = [];
    const stopA = ticker.add(() => ticks.push('a'));
    const stopB = ticker.add(() => ticks.push('b'));
    assert.equal(clock.pending, 1);
    clock.advance(61_000);
    assert.deepEqual(ticks, ['a', 'b']);
    stopA();
    clock.advance(60_000);
    assert.deepEqual(ticks, ['a', 'b', 'b']);
    stopB();
    assert.equal(clock.pending, 0);
    ticker.add(() => ticks.push('c'));
    clock.advance(61_000);
    assert.equal(ticks.at(-1), 'c');
  });
});
