import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../lib/clock.ts';
import { Compacted } from './store.ts';
import { type CacheEvent, RevisionTimeout, type WatchCache } from './watch-cache.ts';
import { createWatchCache } from './watch-cache-impl.ts';

type Index = { length: number };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const newCache = (
  options: { historyEvents?: number; historyBytes?: number; clock?: FakeClock; revision?: number } = {},
): WatchCache<Index> => {
  const cache = createWatchCache<Index>({
    indexer: (_key, value) => ({ length: value.length }),
    historyEvents: options.historyEvents ?? 1000,
    historyBytes: options.historyBytes ?? 1_000_000,
    ...(options.clock ? { clock: options.clock } : {}),
  });
  cache.load({ revision: options.revision ?? 0, entries: [] });
  return cache;
};
const put = (cache: WatchCache<Index>, key: string, text = 'x'): void => {
  const revision = cache.revision + 1;
  cache.apply({ key, revision, entry: { key, revision, value: bytes(text) } });
};
const remove = (cache: WatchCache<Index>, key: string): void =>
  cache.apply({ key, revision: cache.revision + 1, entry: undefined });
const keys = (entries: readonly { key: string }[]): string[] => entries.map((e) => e.key);

describe('WatchCache reads', () => {
  it('lists a resource, one namespace of it, or one key, in key order', () => {
    const cache = newCache();
    for (const key of ['/r/pods/b/1', '/r/pods/a/2', '/r/pods/a/1', '/r/podsx/a/1', '/r/pods/a-b/1', '/r/nodes/n'])
      put(cache, key);
    assert.deepEqual(keys(cache.list('/r/pods/')), ['/r/pods/a-b/1', '/r/pods/a/1', '/r/pods/a/2', '/r/pods/b/1']);
    assert.deepEqual(keys(cache.list('/r/pods/a/')), ['/r/pods/a/1', '/r/pods/a/2']);
    assert.deepEqual(keys(cache.list('/r/pods/a/1')), ['/r/pods/a/1']);
    assert.deepEqual(keys(cache.list('/r/pods/a')), []);
    assert.equal(cache.count('/r/pods/'), 4);
    assert.equal(cache.get('/r/nodes/n')?.index.length, 1);
  });

  it('pages with limit, after and what remains', () => {
    const cache = newCache();
    for (let i = 0; i < 10; i++) put(cache, `/r/pods/a/${i}`, 'x'.repeat(i + 1));
    const first = cache.page({ prefix: '/r/pods/', limit: 4 });
    assert.deepEqual([keys(first.entries).length, first.remaining, first.revision], [4, 6, 10]);
    const next = cache.page({ prefix: '/r/pods/', limit: 4, after: first.entries[3]!.key });
    assert.deepEqual([next.entries[0]!.key, next.remaining], ['/r/pods/a/4', 2]);
    const odd = cache.page({ prefix: '/r/pods/', limit: 2, match: (e) => e.index.length % 2 === 0 });
    assert.deepEqual([keys(odd.entries), odd.remaining], [['/r/pods/a/1', '/r/pods/a/3'], 1]);
    assert.equal(cache.page({ prefix: '/r/pods/', match: (e) => e.index.length > 8 }).remaining, 0);
  });

  it('pages an older revision, and says Compacted when it no longer can', () => {
    const cache = newCache({ historyEvents: 4 });
    for (const key of ['/r/a', '/r/b', '/r/c']) put(cache, key, 'old');
    const at = cache.revision;
    remove(cache, '/r/a');
    put(cache, '/r/b', 'new!');
    put(cache, '/r/d');
    const page = cache.page({ prefix: '/r/', revision: at, limit: 2 });
    assert.deepEqual([keys(page.entries), page.remaining, page.revision], [['/r/a', '/r/b'], 1, at]);
    assert.deepEqual(keys(cache.page({ prefix: '/r/', revision: at, after: '/r/b' }).entries), ['/r/c']);
    assert.equal(page.entries[1]!.index.length, 3);
    put(cache, '/r/e');
    put(cache, '/r/f');
    assert.throws(() => cache.page({ prefix: '/r/', revision: at }), Compacted);
  });
});

describe('WatchCache watches', () => {
  it('replays the history first, then follows, only under its prefix', () => {
    const cache = newCache();
    put(cache, '/r/pods/a/1');
    put(cache, '/r/pods/b/1');
    const seen: string[] = [];
    const record = (e: CacheEvent<Index>): void => void seen.push(`${e.type} ${e.key} ${e.revision}`);
    const stop = cache.watch({ prefix: '/r/pods/a/', after: 0, onEvent: record });
    assert.deepEqual(seen, ['put /r/pods/a/1 1']);
    remove(cache, '/r/pods/a/1');
    put(cache, '/r/pods/b/2');
    stop();
    put(cache, '/r/pods/a/1');
    assert.deepEqual(seen, ['put /r/pods/a/1 1', 'delete /r/pods/a/1 3']);
  });

  it('gives each event once to a watcher that comes while it is delivered', () => {
    const cache = newCache();
    const seen: number[] = [];
    let joined = false;
    cache.watch({
      prefix: '/r/',
      after: 0,
      onEvent: () => {
        if (!joined) cache.watch({ prefix: '/r/', after: 0, onEvent: (e) => seen.push(e.revision) });
        joined = true;
      },
    });
    put(cache, '/r/a');
    put(cache, '/r/b');
    assert.deepEqual(seen, [1, 2]);
  });

  it('stops from inside its own event, also during the replay', () => {
    const cache = newCache();
    put(cache, '/r/a');
    put(cache, '/r/b');
    const seen: number[] = [];
    const stop = cache.watch({
      prefix: '/r/',
      after: 1,
      onEvent: (e) => {
        seen.push(e.revision);
        if (e.revision === 3) stop();
      },
    });
    put(cache, '/r/c');
    put(cache, '/r/d');
    assert.deepEqual(seen, [2, 3]);
  });

  it('refuses a start before the history', () => {
    const cache = newCache({ revision: 50 });
    assert.throws(() => cache.watch({ prefix: '/r/', after: 49, onEvent: () => {} }), Compacted);
    cache.watch({ prefix: '/r/', after: 50, onEvent: () => {} })();
  });

  it('bounds the history in bytes', () => {
    const cache = newCache({ historyBytes: 10_000 });
    for (let i = 0; i < 100; i++) put(cache, '/r/a', 'x'.repeat(1000));
    assert.throws(() => cache.watch({ prefix: '/r/', after: 90, onEvent: () => {} }), Compacted);
    let replayed = 0;
    cache.watch({ prefix: '/r/', after: 95, onEvent: () => replayed++ });
    assert.equal(replayed, 5);
  });

  it('forgets what is old, but for the newest 1,000', () => {
    const clock = new FakeClock();
    const cache = newCache({ historyEvents: 5000, historyBytes: 1e9, clock });
    for (let i = 0; i < 3000; i++) put(cache, '/r/a');
    const replayed = (after: number): number => {
      let events = 0;
      cache.watch({ prefix: '/r/', after, onEvent: () => events++ })();
      return events;
    };
    assert.equal(replayed(0), 3000);
    clock.advance(3_600_000);
    put(cache, '/r/a');
    assert.throws(() => replayed(0), Compacted);
    assert.equal(replayed(2001), 1000);
  });

  it('waits for a revision, not for ever', async () => {
    const clock = new FakeClock();
    const cache = newCache({ clock });
    const comes = cache.waitFor(1, 1000);
    const never = assert.rejects(cache.waitFor(5, 1000), RevisionTimeout);
    put(cache, '/r/a');
    await comes;
    clock.advance(1000);
    await never;
  });
});

/** A step of a random history over few keys, so that keys are overwritten and deleted often. */
const step = fc.record({
  key: fc.constantFrom('/r/p/a/1', '/r/p/a/2', '/r/p/b/1', '/r/q/a/1'),
  put: fc.boolean(),
  text: fc.string(),
});

describe('WatchCache laws', () => {
  it('a list at any revision plus the watch from there is the list of now', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(), (steps, cut) => {
        const cache = newCache();
        for (const s of steps) {
          if (s.put) put(cache, s.key, s.text);
          else remove(cache, s.key);
        }
        const revision = cut % (cache.revision + 1);
        const model = new Map(cache.page({ prefix: '/r/p/', revision }).entries.map((e) => [e.key, e.revision]));
        cache.watch({
          prefix: '/r/p/',
          after: revision,
          onEvent: (e) => (e.entry ? model.set(e.key, e.revision) : model.delete(e.key)),
        });
        const now = cache.list('/r/p/').map((e): [string, number] => [e.key, e.revision]);
        assert.deepEqual([...model].sort(), now);
      }),
    );
  });

  it('the pages of an old revision together are the list of that revision', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), fc.integer({ min: 1, max: 5 }), (steps, cut, limit) => {
        const revision = cut % (steps.length + 1);
        const cache = newCache();
        let then: string[] = [];
        steps.forEach((s, i) => {
          if (i === revision) then = keys(cache.list('/r/'));
          if (s.put) put(cache, s.key, s.text);
          else remove(cache, s.key);
        });
        if (revision === steps.length) then = keys(cache.list('/r/'));
        const paged: string[] = [];
        for (let after: string | undefined, more = true; more; after = paged.at(-1)) {
          const page = cache.page({ prefix: '/r/', revision, limit, ...(after === undefined ? {} : { after }) });
          paged.push(...keys(page.entries));
          assert.equal(page.remaining, then.length - paged.length);
          more = page.remaining > 0;
        }
        assert.deepEqual(paged, then);
      }),
    );
  });
});
