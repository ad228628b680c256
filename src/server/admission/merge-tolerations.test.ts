import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Toleration } from '../../api/generated/types.ts';
import { mergeTolerations } from './merge-tolerations.ts';

const forSome: Toleration = { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
const forEver: Toleration = { key: 'a', operator: 'Exists', effect: 'NoExecute' };
const equal: Toleration = { key: 'a', operator: 'Equal', value: 'x', effect: 'NoExecute' };
const everything: Toleration = { operator: 'Exists' };
const other: Toleration = { key: 'b', operator: 'Exists' };

const rows: readonly [string, Toleration[], Toleration[]][] = [
  ['equal ones once', [other, { ...other }], [other]],
  ['the longer one, where it stands', [forSome, other, forEver], [other, forEver]],
  ['the longer one that was there first', [forEver, forSome], [forEver]],
  ['a value is one of all values', [equal, forEver], [forEver]],
  ['values that are tolerated for ever are not those tolerated for a while', [equal, forSome], [equal, forSome]],
  ['all keys include each', [forSome, everything, other], [everything]],
  ['other effects stay', [{ ...forEver, effect: 'NoSchedule' }, forEver], [{ ...forEver, effect: 'NoSchedule' }, forEver]],
];

describe('tolerations of a pod and its runtime class', () => {
  for (const [title, all, expected] of rows) it(title, () => assert.deepEqual(mergeTolerations(all), expected));
});
