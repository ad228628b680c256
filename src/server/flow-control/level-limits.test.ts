import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as t from '../../api/generated/types.ts';
import { standardLevels } from '../../api/kinds/flowcontrol/standard.ts';
import { queueLimits, seatLimits } from './level-limits.ts';

const limited = (spec: t.LimitedPriorityLevelConfiguration): t.PriorityLevelConfigurationSpec => ({
  type: 'Limited',
  limited: { limitResponse: { type: 'Reject' }, ...spec },
});

test('the standard levels share 600 seats, and lend parts of theirs', () => {
  const names = [...standardLevels.keys()];
  const limits = seatLimits([...standardLevels.values()]);
  assert.deepEqual(Object.fromEntries(names.map((name, i) => [name, [limits[i]!.nominal, limits[i]!.lower]])), {
    exempt: [0, 0],
    'catch-all': [13, 13],
    system: [74, 50],
    'node-high': [98, 73],
    'leader-election': [25, 25],
    'workload-high': [98, 49],
    'workload-low': [245, 24],
    'global-default': [49, 24],
  });
});

test('how much a level may borrow', () => {
  const levels = [
    limited({ nominalConcurrencyShares: 1 }),
    limited({ nominalConcurrencyShares: 1, borrowingLimitPercent: 0 }),
    limited({ nominalConcurrencyShares: 1, borrowingLimitPercent: 50 }),
  ];
  assert.deepEqual(
    seatLimits(levels).map(({ upper }) => upper),
    [800, 200, 300],
  );
});

test('a level that is exempt has its part and may lend of it', () => {
  const exempt = { type: 'Exempt', exempt: { nominalConcurrencyShares: 1, lendablePercent: 50 } };
  assert.deepEqual(seatLimits([exempt, limited({ nominalConcurrencyShares: 2 })]), [
    { nominal: 200, lower: 100, upper: 800 },
    { nominal: 400, lower: 400, upper: 1000 },
  ]);
});

test('without shares there are no seats but borrowed ones', () => {
  assert.deepEqual(seatLimits([limited({ nominalConcurrencyShares: 0 })]), [{ nominal: 0, lower: 0, upper: 600 }]);
});

test('how many may wait', () => {
  const queuing = (queues: number, handSize: number, queueLengthLimit: number) =>
    queueLimits(limited({ limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } } }));
  assert.deepEqual(queuing(10, 3, 5), { perFlow: 15, all: 50 });
  assert.deepEqual(queuing(1, 1, 5), { perFlow: 5, all: 5 });
  assert.deepEqual(queuing(128, 6, 50), { perFlow: 300, all: 500 });
  assert.deepEqual(queuing(10_000, 100, 5_000), { perFlow: 500, all: 500 });
  assert.equal(queueLimits(limited({})), undefined);
});
