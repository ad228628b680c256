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
    clock.advance(10);
    assert.deepEqual(flushed, ['a', 'b', 'a']);
    queue.add(a);
    await endOfTurn();
    assert.equal(flushed.length, 3, 'still a burst');
    clock.advance(10);
    assert.equal(flushed.length, 4);
  });

  it('has no timer when nothing happens, and is quick again after a pause', async () => {
    const { clock, queue, flushed, stream } = setup();
    const a = stream('a');
    queue.add(a);
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
