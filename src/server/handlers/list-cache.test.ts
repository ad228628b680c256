import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kind } from '../../api/kind.ts';
import { ConfigMap } from '../../api/kinds/core/config-map.ts';
import { FakeClock } from '../../lib/clock.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import { storedHead } from '../registry/stored-form.ts';
import { ListCache } from './list-cache.ts';
import { ListItems } from './list-items.ts';

const kind = ConfigMap as Kind;

function entryOf(i: number, sizeBytes: number): ObjectEntry {
  const head = storedHead(kind);
  const value = Buffer.from(`${head}"name":"m${i}"},"data":{"a":"${'x'.repeat(sizeBytes)}"}}`);
  const index = {
    kind,
    name: `m${i}`,
    namespace: 'default',
    labels: {},
    fields: [],
    bodyOffset: head.length,
    written: undefined,
    decoded: undefined,
  };
  return { key: `/registry/configmaps/default/m${i}`, value, revision: i + 1, index };
}

const itemsOf = (count: number, sizeBytes: number, keep: boolean): ListItems => {
  const entries = Array.from({ length: count }, (_, i) => entryOf(i, sizeBytes));
  return ListItems.of(kind, entries, { withType: false, keep: () => keep })!;
};

describe('the items of a list', () => {
  for (const [what, count, sizeBytes] of [
    ['none', 0, 0],
    ['one', 1, 10],
    ['one larger than a piece', 1, 300_000],
    ['many', 1000, 500],
    ['some of half a piece', 5, 70_000],
  ] as const) {
    for (const keep of [false, true]) {
      it(`${what}, ${keep ? 'kept' : 'made again'}: are the same for every reader, and as large as announced`, () => {
        const items = itemsOf(count, sizeBytes, keep);
        const first = [...items.pieces()];
        const bytes = Buffer.concat(first);
        assert.equal(bytes.length, items.sizeBytes);
        const parsed = JSON.parse(`{"items":[${bytes}`).items as { metadata: { name: string; resourceVersion: string } }[];
        assert.equal(parsed.length, count);
        for (const [i, { metadata }] of parsed.entries())
          assert.deepEqual(metadata, { resourceVersion: `${i + 1}`, name: `m${i}` });
        const second = [...items.pieces()];
        assert.deepEqual(Buffer.concat(second), bytes);
        assert.equal(first[0] === second[0], keep, 'kept pieces are shared');
        assert.ok(first.length <= 2 + bytes.length / 64_000, 'pieces are not small');
      });
    }
  }

  it('are shared by readers that are at different places', () => {
    const items = itemsOf(1000, 500, true);
    const slow = items.pieces();
    const slowPieces = [slow.next().value as Buffer];
    const fast = [...items.pieces()];
    for (const piece of slow) slowPieces.push(piece);
    assert.deepEqual(slowPieces, fast);
  });
});

describe('the cache of lists', () => {
  function follower() {
    const state = { followed: 0, change: () => {} };
    const follow = (onChange: () => void): (() => void) => {
      state.followed++;
      state.change = onChange;
      return () => state.followed--;
    };
    return { state, follow };
  }

  it('forgets a list at the first change', () => {
    const cache = new ListCache(new FakeClock());
    const { state, follow } = follower();
    const items = itemsOf(100, 1000, true);
    cache.add('a', items, follow);
    assert.equal(cache.find('a'), items);
    state.change();
    assert.equal(cache.find('a'), undefined);
    assert.equal(state.followed, 0);
  });

  it('forgets a list nobody asked for in a while, and then has no timer', () => {
    const clock = new FakeClock();
    const cache = new ListCache(clock);
    const { state, follow } = follower();
    cache.add('a', itemsOf(100, 1000, true), follow);
    clock.advance(4000);
    assert.ok(cache.find('a'));
    clock.advance(4000);
    assert.ok(cache.find('a'), 'it was in use');
    clock.advance(11_000);
    assert.equal(cache.find('a'), undefined);
    assert.equal(state.followed, 0);
    assert.equal(clock.pending, 0);
  });

  it('keeps no more than its limit, the most recently used', () => {
    const clock = new FakeClock();
    const cache = new ListCache(clock);
    const { state, follow } = follower();
    for (const key of ['a', 'b', 'c']) {
      cache.add(key, itemsOf(7, 1_000_000, true), follow);
      clock.advance(1);
      cache.find('a');
    }
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => cache.find(key) !== undefined),
      [true, false, true],
    );
    assert.equal(state.followed, 2);
  });

  it('keeps neither tiny nor huge lists', () => {
    const cache = new ListCache(new FakeClock());
    const { state, follow } = follower();
    cache.add('tiny', itemsOf(1, 10, true), follow);
    cache.add('huge', itemsOf(9, 1_000_000, true), follow);
    assert.equal(state.followed, 0);
  });

  it('remembers the compressed form of one answer', () => {
    const cache = new ListCache(new FakeClock());
    cache.add('a', itemsOf(100, 1000, true), follower().follow);
    const forms = cache.formsOf('a', 'head 1');
    assert.ok(forms);
    assert.equal(cache.formsOf('a', 'head 1'), forms);
    assert.notEqual(cache.formsOf('a', 'head 2'), forms);
    assert.equal(cache.formsOf('b', 'head 1'), undefined);
  });
});
