import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { FakeClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { DiskFull } from '../storage/store.ts';
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';

const bytes = (size: number, fill = 'x'): Uint8Array => Buffer.alloc(size, fill);

/** A folder for one test, and stores in it that are closed when the test ends. */
async function inFolder(
  body: (tools: { file: string; open: (options?: Partial<SqliteStoreOptions>) => Promise<SqliteStore> }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-sqlite-'));
  const stores: SqliteStore[] = [];
  try {
    await body({
      file: join(folder, 'state.db'),
      async open(options = {}) {
        const onFatal = (error: Error): void => assert.fail(error);
        const store = new SqliteStore({ file: join(folder, 'state.db'), log: silentLogger, onFatal, ...options });
        await store.open();
        stores.push(store);
        return store;
      },
    });
  } finally {
    for (const store of stores) await store.close().catch(() => {});
    rmSync(folder, { recursive: true });
  }
}

const rowsOf = (file: string): string[] => {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare<[], string>('select key from entry order by key').pluck().all();
  } finally {
    db.close();
  }
};

describe('SqliteStore files', () => {
  it('are readable by their owner only and are one file after a close', () =>
    inFolder(async ({ file, open }) => {
      const store = await open();
      await store.write({ key: '/r/a', value: bytes(10) });
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(statSync(`${file}-wal`).mode & 0o777, 0o600);
      await store.close();
      assert.throws(() => statSync(`${file}-wal`));
      assert.deepEqual(rowsOf(file), ['/r/a']);
    }));

  it('keeps the log small under load', () =>
    inFolder(async ({ file, open }) => {
      const store = await open({ logLimitBytes: 200_000 });
      let largest = 0;
      for (let i = 0; i < 300; i++) {
        await store.write({ key: `/r/${i % 50}`, value: bytes(4000, String(i % 10)) });
        largest = Math.max(largest, statSync(`${file}-wal`).size);
      }
      assert.ok(largest < 300_000, `the log grew to ${largest} bytes`);
      await store.close();
      const again = await open();
      assert.equal((await again.loadAll()).entries.length, 50);
    }));

  it('keeps the space of the log for the next changes', () =>
    inFolder(async ({ file, open }) => {
      const store = await open({ logLimitBytes: 100_000 });
      const sizes: number[] = [];
      for (let i = 0; i < 200; i++) {
        await store.write({ key: `/r/${i % 10}`, value: bytes(2000, String(i % 10)) });
        sizes.push(statSync(`${file}-wal`).size);
      }
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => a - b),
        'it never shrinks',
      );
      assert.equal(sizes[50], sizes[199]);
    }));

  it('gives back the space of a log that grew very large', () =>
    inFolder(async ({ file, open }) => {
      const store = await open();
      const size = (): number => statSync(`${file}-wal`).size;
      await Promise.all(Array.from({ length: 10 }, (_, i) => store.write({ key: `/r/${i}`, value: bytes(1_200_000) })));
      assert.ok(size() > 10_000_000);
      await store.write({ key: '/r/small', value: bytes(10) });
      assert.equal(size(), 8 * 1024 * 1024);
    }));

  it('are locked against a second store', () =>
    inFolder(async ({ open }) => {
      await open();
      await assert.rejects(open({ lockTimeoutMs: 1 }), /is a second skiff server running/);
    }));

  it('are refused when damaged, with what to do', () =>
    inFolder(async ({ file, open }) => {
      const store = await open();
      for (let i = 0; i < 200; i++) void store.write({ key: `/r/${i}`, value: bytes(2000) });
      await store.close();
      const content = readFileSync(file);
      content.fill(0xa5, 8192, 60_000);
      writeFileSync(file, content);
      await assert.rejects(open(), /the file is damaged.*put the last backup in its place/);
      writeFileSync(file, 'not a database, but long enough to be looked at'.repeat(100));
      await assert.rejects(open(), /the file is damaged/);
    }));

  it('are refused when a newer version wrote them', () =>
    inFolder(async ({ file, open }) => {
      await (await open()).close();
      const db = new Database(file);
      db.pragma('user_version = 99');
      db.close();
      await assert.rejects(open(), /newer version/);
    }));
});

describe('SqliteStore lazy tier', () => {
  it('writes nothing to the disk until the flush is due, and nothing when clean', () =>
    inFolder(async ({ file, open }) => {
      const clock = new FakeClock();
      const store = await open({ clock });
      const log = (): Buffer => readFileSync(`${file}-wal`);
      const atStart = log();
      await store.write({ key: '/r/lease', value: bytes(10), lazy: true });
      clock.advance(299_000);
      await store.write({ key: '/r/lease', value: bytes(11), lazy: true });
      assert.ok(log().equals(atStart));
      clock.advance(1000);
      await store.backup(`${file}.backup`);
      assert.deepEqual(rowsOf(`${file}.backup`), ['/r/lease']);
      const flushed = log();
      clock.advance(600_000);
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(log().equals(flushed));
    }));
});

describe('SqliteStore on a full disk', () => {
  /** Bounds the database as a full disk does. The file is closed meanwhile. */
  const limitPages = async (store: SqliteStore, body: (limit: (pages: number) => void) => Promise<void>): Promise<void> => {
    type Connection = Pick<Database.Database, 'pragma'>;
    const prototype = Database.prototype as Connection;
    const connections: Connection[] = [];
    const original = prototype.pragma;
    prototype.pragma = function (this: Connection, ...args) {
      connections.push(this);
      return original.apply(this, args);
    };
    try {
      await store.open();
    } finally {
      prototype.pragma = original;
    }
    await body((pages) => void connections.at(-1)!.pragma(`max_page_count = ${pages}`));
  };

  it('refuses with DiskFull, loses nothing, keeps lazy writes, and goes on when there is room', () =>
    inFolder(async ({ file, open }) => {
      const store = new SqliteStore({ file, log: silentLogger, onFatal: (error) => assert.fail(error) });
      await limitPages(store, async (limit) => {
        await store.write({ key: '/r/kept', value: bytes(5000) });
        limit(1);
        const refused = store.write({ key: '/r/kept', value: bytes(100_000) });
        const behind = store.write({ key: '/r/kept', value: bytes(7) });
        const lazy = store.write({ key: '/r/lease', value: bytes(50_000), lazy: true });
        await assert.rejects(refused, DiskFull);
        await assert.rejects(behind, DiskFull);
        await lazy;
        assert.equal(store.newest('/r/kept')?.value.length, 5000);
        await assert.rejects(store.backup(`${file}.backup`), DiskFull);
        limit(100_000);
        await store.write({ key: '/r/kept', value: bytes(100_001) });
        await store.close();
      });
      const again = await open();
      assert.deepEqual(
        (await again.loadAll()).entries.map((e) => [e.key, e.value.length]),
        [
          ['/r/kept', 100_001],
          ['/r/lease', 50_000],
        ],
      );
    }));
});

describe('SqliteStore backup', () => {
  it('is complete, while writes go on, and starts with new revisions', () =>
    inFolder(async ({ file, open }) => {
      const store = await open({ logLimitBytes: 50_000 });
      for (let i = 0; i < 100; i++) void store.write({ key: `/r/before-${i}`, value: bytes(3000) });
      await store.write({ key: '/r/event', value: bytes(10), lazy: true });
      const revision = store.revision;
      const done = store.backup(join(file, '..', 'backup.db'));
      let during = 0;
      const writer = (async () => {
        for (let i = 0; i < 200; i++) during = await store.write({ key: `/r/during-${i}`, value: bytes(3000) });
      })();
      await done;
      await writer;
      const copy = new SqliteStore({ file: join(file, '..', 'backup.db'), log: silentLogger, onFatal: (e) => assert.fail(e) });
      await copy.open();
      const { entries, revision: restored } = await copy.loadAll();
      assert.equal(entries.filter((e) => e.key.startsWith('/r/before-')).length, 100);
      assert.ok(entries.some((e) => e.key === '/r/event'));
      assert.ok(restored > during && during > revision);
      await copy.close();
      await store.close();
      const again = await open();
      assert.equal(again.revision, during);
      assert.equal((await again.loadAll()).entries.length, 301);
    }));

  it('leaves nothing behind when it cannot be written', () =>
    inFolder(async ({ open }) => {
      const store = await open();
      await assert.rejects(store.backup('/nonexistent/backup.db'), /could not be written/);
      await store.write({ key: '/r/a', value: bytes(1) });
    }));
});
