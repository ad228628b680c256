import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pod } from '../kinds/core/pod.ts';
import { age, humanDuration } from './duration.ts';
import { columnDefinitions, columnsOf, tableRow } from './table.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('humanDuration', () => {
  const rows: readonly [number, string][] = [
    [-5 * second, '<invalid>'],
    [-1.9 * second, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [2 * minute + 5 * second, '2m5s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + 20 * minute, '3h20m'],
    [8 * hour + 20 * minute, '8h'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [3 * day + 4 * hour, '3d4h'],
    [8 * day + 4 * hour, '8d'],
    [2 * 365 * day, '2y'],
    [2 * 365 * day + 10 * day, '2y10d'],
    [9 * 365 * day + 10 * day, '9y'],
  ];
  for (const [milliseconds, text] of rows)
    it(`${milliseconds} ms is ${text}`, () => assert.equal(humanDuration(milliseconds), text));

  it('of no time is unknown', () => assert.equal(age(undefined, 0), '<unknown>'));
});

describe('tables', () => {
  it('show name and age of kinds without columns', () => {
    const kind = { columns: [] };
    assert.deepEqual(
      columnDefinitions(kind).map((c) => [c.name, c.type, c.format, c.priority]),
      [
        ['Name', 'string', 'name', 0],
        ['Age', 'string', '', 0],
      ],
    );
  });

  it('have a cell for each column', () => {
    const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', creationTimestamp: '2026-11-21T00:00:00Z' } } as Pod;
    const { cells } = tableRow(Pod, pod, Date.parse('2026-11-21T00:00:30Z'));
    assert.equal(cells.length, columnsOf(Pod).length);
    assert.deepEqual(cells, ['a', '0/0', '', '0', '30s', '<none>', '<none>', '<none>', '<none>']);
  });

  it('say of a pod that has ended that it is completed', () => {
    const row = (phase: string) => tableRow(Pod, { metadata: {}, spec: {}, status: { phase } } as Pod, 0);
    assert.equal(row('Succeeded').conditions?.[0]?.reason, 'Succeeded');
    assert.deepEqual(row('Failed').conditions, [
      { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
    ]);
    assert.equal(row('Running').conditions, undefined);
  });
});
