import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SortedEntries } from './sorted-entries.ts';

const name = fc.integer({ min: 0, max: 3000 }).map((n) => `k${n}`);

describe('SortedEntries', () => {
  it('is a sorted map, whatever is added and removed', () => {
    const action = fc.record({ key: name, remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 2500, size: 'max' }), name, name, (actions, from, to) => {
        const entries = new SortedEntries<{ key: string; at: number }>();
        const model = new Map<string, number>();
        actions.forEach(({ key, remove }, at) => {
          if (remove) {
            entries.delete(key);
            model.delete(key);
          } else {
            entries.set({ key, at });
            model.set(key, at);
          }
        });
        const expected = [...model].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
        const visited: [string, number][] = [];
        entries.visit(from, to, (e) => visited.push([e.key, e.at]) > 0);
        assert.equal(entries.size, model.size);
        assert.deepEqual(visited, from < to ? expected : []);
        if (from > to) return;
        assert.deepEqual(
          entries.range(from, to).map((e) => [e.key, e.at]),
          expected,
        );
        assert.equal(entries.count(from, to), expected.length);
      }),
      { numRuns: 50 },
    );
  });

  it('starts from a sorted list', () => {
    const entries = new SortedEntries<{ key: string }>();
    const all = Array.from({ length: 2000 }, (_, i) => ({ key: `k${String(i).padStart(5, '0')}` }));
    entries.load(all);
    assert.deepEqual(entries.range('k', 'l'), all);
    assert.equal(entries.count('k00500', 'k01500'), 1000);
    entries.visit('k00700', 'l', (e) => e.key < 'k00710');
    assert.equal(entries.range('x', 'z').length, 0);
  });
});
