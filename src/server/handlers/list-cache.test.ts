import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kind } from '../../api/kind.ts';
import { ConfigMap } from '../../api/kinds/core/config-map.ts';
import { FakeClock } from '../../lib/clock.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import { storedHead } from '../registry/stored-form.ts';
import { ListCache } from './list-cache.ts';
import { ListItems } from './list-items.ts';
import { servedBytes } from './served-bytes.ts';

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
    metadataEnd: 0,
    written: undefined,
    decoded: undefined,
  };
  return { key: `/registry/configmaps/default/m${i}`, value, revision: i + 1, index };
}

const itemsOf = (count: number, sizeBytes: number, mayKeep: boolean): ListItems => {
  const entries = Array.from({ length: count }, (_, i) => entryOf(i, sizeBytes));
  const served = entries.map((entry) => servedBytes(kind, entry, entry.revision, false)!);
  return new ListItems(served, () => mayKeep);
};

/** Pieces that stay what they are. */
function copies(items: ListItems): Buffer[] {
  const found: Buffer[] = [];
  for (const piece of items.pieces()) found.push(Buffer.from(piece));
  return found;
}

describe('the items of a list', () => {
  for (const [what, count, sizeBytes] of [
    ['none', 0, 0],
    ['one', 1, 10],
    ['one larger than a piece', 1, 300_000],
    ['many', 1000, 500],
    ['some of half a piece', 5, 70_000],
  ] as const) {
    it(`${what}: are the same for every reader, and as large as announced`, () => {
      const items = itemsOf(count, sizeBytes, true);
      for (let reader = 0; reader < 3; reader++) {
        const pieces = copies(items);
        const bytes = Buffer.concat(pieces);
        assert.equal(bytes.length, items.sizeBytes);
        const parsed = JSON.parse(`{"items":[${bytes}`).items as { metadata: { name: string; resourceVersion: string } }[];
        assert.equal(parsed.length, count);
        for (const [i, { metadata }] of parsed.entries())
          assert.deepEqual(metadata, { resourceVersion: `${i + 1}`, name: `m${i}` });
        assert.ok(pieces.length <= 2 + bytes.length / 64_000, 'pieces are not small');
      }
    });
  }

  it('are kept when a second reader comes, if they may be', () => {
    for (const mayKeep of [true, false]) {
      const items = itemsOf(1000, 500, mayKeep);
      const [first, second, third] = [[...items.pieces()], [...items.pieces()], [...items.pieces()]];
      assert.equal(first[0]!.buffer, first[1]!.buffer, 'one buffer is enough for a single reader');
      assert.equal(second[1] === third[1], mayKeep);
    }
  });

  it('are shared by readers that are at different places', () => {
    const items = itemsOf(1000, 500, true);
    const whole = Buffer.concat(copies(items));
    const slow = items.pieces()[Symbol.iterator]();
    const slowPieces = [slow.next().value as Buffer];
    const fast = [...items.pieces()];
    for (let next = slow.next(); !next.done; next = slow.next()) slowPieces.push(next.value);
    assert.deepEqual(slowPieces, fast);
    assert.deepEqual(Buffer.concat(fast), whole);
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
