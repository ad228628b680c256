import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';
import { Turns } from './turns.ts';

const large = 1024 * 1024;

test('work on little goes on at once', () => {
  assert.equal(new Turns(systemClock).forWorkOn(1000), undefined);
});

test('of all long work one piece is done in a turn', async () => {
  const pause = new Turns(systemClock).forWorkOn(large)!;
  let turn = 0;
  let over = false;
  const count = (): void => {
    turn++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const doneIn: number[] = [];
  const work = async (): Promise<void> => {
    for (let piece = 0; piece < 3; piece++) {
      await pause();
      doneIn.push(turn);
    }
  };
  await Promise.all([work(), work(), work()]);
  over = true;
  assert.equal(doneIn.length, 9);
  assert.equal(new Set(doneIn).size, 9, `turns ${doneIn}`);
});
