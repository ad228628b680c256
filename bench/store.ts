/**
 * The store's hot path, memory and SQLite interleaved: writes per second with 1 and 16 writers, reads of the watch cache, bytes per object.
 * `node --expose-gc bench/store.ts [ROUNDS] [FOLDER]`; FOLDER decides which disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '../src/lib/log.ts';
import { SqliteStore } from '../src/sqlite-store/sqlite-store.ts';
import { MemoryStore } from '../src/storage/memory-store.ts';
import type { Store } from '../src/storage/store.ts';
import type { WatchCache } from '../src/storage/watch-cache.ts';
import { createWatchCache } from '../src/storage/watch-cache-impl.ts';

const rounds = Number(process.argv[2] ?? 3);
const folder = process.argv[3] ?? tmpdir();
const runMs = 1000;
const valueBytes = 2000;

const results = new Map<string, number[]>();
const record = (name: string, value: number): void => void results.set(name, [...(results.get(name) ?? []), value]);
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

for (let round = 0; round < rounds; round++) {
  for (const writers of [1, 16]) {
    for (const kind of ['memory', 'sqlite'] as const) await inStore(kind, (store) => benchWrites(kind, store, writers));
  }
  for (const objects of [100, 10_000]) benchReads(objects);
}
for (const [name, values] of results) console.log(`${name.padEnd(46)} ${median(values).toFixed(2)}`);
for (const writers of [1, 16]) {
  const rate = (kind: string): number => median(results.get(`${kind}, ${writers} writers: writes/s`) ?? []);
  console.log(`sqlite : memory, ${writers} writers`.padEnd(46), (rate('sqlite') / rate('memory')).toFixed(3));
}

async function inStore(kind: 'memory' | 'sqlite', body: (store: Store) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(folder, 'skiff-bench-'));
  const onFatal = (error: Error): never => {
    throw error;
  };
  const store = kind === 'memory' ? new MemoryStore() : new SqliteStore({ file: join(dir, 's.db'), log: silentLogger, onFatal });
  await store.open();
  try {
    await body(store);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
}

async function benchWrites(kind: string, store: Store, writers: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const until = performance.now() + runMs;
  let writes = 0;
  delay.enable();
  const writer = async (w: number): Promise<void> => {
    for (let n = 0; performance.now() < until; n++, writes++) {
      await store.write({ key: `/registry/configmaps/default/w${w}-${n % 100}`, value: Buffer.alloc(valueBytes, `${n}-`) });
      // The memory store answers within the turn: give the others theirs.
      if (kind === 'memory' && n % 100 === 0) await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, w) => writer(w)));
  delay.disable();
  record(`${kind}, ${writers} writers: writes/s`, (writes * 1000) / runMs);
  record(`${kind}, ${writers} writers: loop delay p99 ms`, delay.percentile(99) / 1e6);
}

function benchReads(objects: number): void {
  const keyOf = (i: number): string => `/registry/configmaps/ns-${i % 10}/object-${i}`;
  globalThis.gc?.();
  const before = process.memoryUsage();
  const cache: WatchCache<null> = createWatchCache({ indexer: () => null, historyEvents: 1000, historyBytes: 1_000_000 });
  const entries = Array.from({ length: objects }, (_, i) => ({
    key: keyOf(i),
    value: new Uint8Array(valueBytes),
    revision: i + 1,
  }));
  cache.load({ revision: objects, entries });
  globalThis.gc?.();
  const after = process.memoryUsage();
  // Of few objects, or without collection, it is noise.
  if (globalThis.gc && objects >= 1000)
    record('heap bytes per object, without its value', (after.heapUsed - before.heapUsed) / objects);
  record(
    `${objects} objects: get µs`,
    microseconds(20_000, (i) => cache.get(keyOf(i % objects))),
  );
  record(
    `${objects} objects: list one of 10 namespaces µs`,
    microseconds(200, (i) => cache.list(`/registry/configmaps/ns-${i % 10}/`)),
  );
  record(
    `${objects} objects: list of 10 (page) µs`,
    microseconds(2000, () => cache.page({ prefix: '/registry/configmaps/', limit: 10 })),
  );
  let revision = objects;
  const put = (i: number): void => {
    const key = keyOf(i % objects);
    revision++;
    cache.apply({ key, revision, entry: { key, revision, value: entries[i % objects]!.value } });
  };
  record(`${objects} objects: apply µs`, microseconds(20_000, put));
}

function microseconds(times: number, body: (i: number) => void): number {
  const startedAt = performance.now();
  for (let i = 0; i < times; i++) body(i);
  return ((performance.now() - startedAt) * 1000) / times;
}
