import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from './fair-queue.ts';

const wide = { perFlow: 100, all: 100 };

function queueOf(items: readonly string[], limits = wide): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const item of items) assert.equal(queue.add(item[0]!, item, limits), undefined);
  return queue;
}

function drain(queue: FairQueue<string>): string[] {
  return Array.from({ length: queue.size }, () => queue.take()!);
}

describe('fair queue', () => {
  it('flows take turns, each in order of arrival', () => {
    assert.deepEqual(drain(queueOf(['a1', 'a2', 'a3', 'b1', 'c1', 'b2'])), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    assert.equal(new FairQueue<string>().take(), undefined);
  });

  it('who comes back often is not served more often', () => {
    const queue = queueOf(['a1', 'b1', 'b2']);
    assert.equal(queue.take(), 'a1');
    queue.add('a', 'a2', wide);
    assert.deepEqual(drain(queue), ['b1', 'a2', 'b2']);
  });

  it('a full flow takes nobody', () => {
    const limits = { perFlow: 2, all: 100 };
    const queue = queueOf(['a1', 'a2'], limits);
    assert.equal(queue.add('a', 'a3', limits), 'a3');
    assert.equal(queue.add('b', 'b1', limits), undefined);
    assert.equal(queue.size, 3);
  });

  it('when all is full, the longest flow makes room for a shorter one', () => {
    const limits = { perFlow: 10, all: 4 };
    const queue = queueOf(['a1', 'a2', 'a3', 'b1'], limits);
    assert.equal(queue.add('a', 'a4', limits), 'a4');
    assert.equal(queue.add('c', 'c1', limits), 'a3');
    assert.equal(queue.add('b', 'b2', limits), 'b2', 'nothing is won by turning somebody else away');
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2']);
  });

  it('who gives up is not served', () => {
    const queue = queueOf(['a1', 'a2', 'b1']);
    assert.deepEqual([queue.remove('a', 'a1'), queue.remove('a', 'a1'), queue.remove('c', 'c1')], [true, false, false]);
    assert.deepEqual(drain(queue), ['a2', 'b1']);
  });

  it('bounds hold, nobody is lost, and the next of a flow is served after one turn of each other flow', () => {
    const step = fc.record({ does: fc.constantFrom('add', 'add', 'take', 'remove'), flow: fc.nat(4), which: fc.nat(9) });
    const limits = fc.record({ perFlow: fc.integer({ min: 1, max: 5 }), all: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), limits, (steps, bounds) => {
        const queue = new FairQueue<{ flow: string; n: number }>();
        const waiting: { flow: string; n: number }[] = [];
        /** Services of others since a flow was served or began to wait. */
        const passedOver = new Map<string, string[]>();
        const forget = (item: { flow: string }): void => {
          waiting.splice(waiting.indexOf(item as (typeof waiting)[number]), 1);
          if (!waiting.some(({ flow }) => flow === item.flow)) passedOver.delete(item.flow);
        };
        for (const [n, { does, flow: number, which }] of steps.entries()) {
          const flow = `f${number}`;
          if (does === 'add') {
            const item = { flow, n };
            const turnedAway = queue.add(flow, item, bounds);
            if (turnedAway !== item) waiting.push(item);
            if (turnedAway && turnedAway !== item) forget(turnedAway);
            if (turnedAway !== item && !passedOver.has(flow)) passedOver.set(flow, []);
          } else if (does === 'take') {
            const item = queue.take();
            assert.equal(item === undefined, waiting.length === 0);
            if (!item) continue;
            assert.equal(
              item,
              waiting.find((other) => other.flow === item.flow),
              'in order of arrival',
            );
            forget(item);
            if (passedOver.has(item.flow)) passedOver.set(item.flow, []);
            for (const [other, services] of passedOver) if (other !== item.flow) services.push(item.flow);
          } else if (waiting.length > 0) {
            const item = waiting[which % waiting.length]!;
            assert.equal(queue.remove(item.flow, item), true);
            forget(item);
          }
          assert.equal(queue.size, waiting.length);
          assert.ok(queue.size <= bounds.all);
          for (const [other, services] of passedOver) {
            assert.ok(waiting.filter((item) => item.flow === other).length <= bounds.perFlow);
            assert.equal(new Set(services).size, services.length, `${other} was passed over twice by one flow`);
          }
        }
      }),
    );
  });
});
