import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pod } from '../../api/kinds/core/pod.ts';
import { FakeClient } from '../../client/fake-client.ts';
import { FakeClock } from '../../lib/clock.ts';
import { SchedulingQueue } from './queue.ts';

describe('scheduling queue', () => {
  it('gives out pods by priority, of the same priority in the order they came', () => {
    const clock = new FakeClock();
    const fake = new FakeClient(clock);
    const queue = new SchedulingQueue(clock, () => {});
    const arrivals = [0, 10, 0, 5, 10, 0, -1, 5];
    for (const [i, priority] of arrivals.entries()) {
      queue.put(
        fake.seed(Pod, { metadata: { namespace: 'ns', name: `p${i}` }, spec: { priority, containers: [] }, status: {} }),
        false,
      );
      if (i % 3 === 2) clock.advance(1);
    }
    const order: string[] = [];
    for (let entry = queue.take(); entry; entry = queue.take()) order.push(entry.pod.metadata.name);
    assert.deepEqual(order, ['p1', 'p4', 'p3', 'p7', 'p0', 'p2', 'p5', 'p6']);
  });
});
