import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { schemaOf } from '../schema/schema.ts';
import { mergeValues } from './merge-values.ts';

const schema = schemaOf('Container').fields!.get('env')!.schema;
const env = (n: number, name = 'e'): { name: string }[] => Array.from({ length: n }, (_, i) => ({ name: `${name}${i}` }));

describe('mergeValues', () => {
  it('keeps live items before the applied ones they were before', () => {
    const live = [...env(2, 'x'), { name: 'a' }, ...env(1, 'y'), { name: 'b' }, ...env(1, 'z')];
    const names = (list: unknown): string => (list as { name: string }[]).map((item) => item.name).join(' ');
    assert.equal(names(mergeValues(live, [{ name: 'b' }, { name: 'new' }, { name: 'a' }], schema)), 'x0 x1 y0 b z0 new a');
    assert.equal(names(mergeValues(live, [{ name: 'new' }, { name: 'a' }], schema)), 'x0 x1 new a y0 b z0');
  });

  it('takes time in proportion to the lists, whatever they have in common', () => {
    const cost = (n: number): number => {
      const [live, other, applied] = [env(n, 'l'), env(n).reverse(), env(n)];
      const start = process.cpuUsage();
      mergeValues(live, applied, schema);
      mergeValues(other, applied, schema);
      return process.cpuUsage(start).user;
    };
    cost(5_000);
    const [few, many] = [Math.max(5000, cost(5_000)), cost(40_000)];
    // Eight times the items; what grows with the square would take 64 times as long.
    assert.ok(many < 30 * few, `${few} µs, then ${many} µs`);
  });
});
