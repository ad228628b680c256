import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortedElements } from './path-element.ts';

const key = (fields: object): string => `k:${JSON.stringify(fields)}`;

test('elements stand in the order of their kinds and values, whatever characters these have', () => {
  const sorted = [
    'f:a',
    'f:b',
    key({ containerPort: 9, protocol: 'TCP' }),
    key({ containerPort: 80, protocol: 'TCP' }),
    key({ containerPort: 80, protocol: 'UDP' }),
    key({ name: '' }),
    key({ name: '"' }),
    key({ name: 'a' }),
    key({ name: 'a"' }),
    key({ name: 'a\\' }),
    key({ name: 'ab' }),
    key({ name: 'b' }),
    key({ other: 'a' }),
    'v:1',
    'v:2',
    'v:10',
  ];
  assert.deepEqual(sortedElements([...sorted].reverse()), sorted);
  for (const [i, a] of sorted.entries()) for (const b of sorted.slice(i + 1)) assert.deepEqual(sortedElements([b, a]), [a, b]);
});
