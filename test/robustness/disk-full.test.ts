/** A file system without room: a small tmpfs of its own. Needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/lib/log.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';
import { DiskFull } from '../../src/storage/store.ts';

const sizeKib = 2048;
const value = (n: number): Uint8Array => Buffer.alloc(3000, `${n}-`);

async function onSmallDisk(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKib}k`, 'tmpfs', folder]);
  try {
    await body(folder);
  } finally {
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  }
}

const open = async (folder: string): Promise<SqliteStore> => {
  const store = new SqliteStore({
    file: join(folder, 'state.db'),
    log: silentLogger,
    logLimitBytes: 200_000,
    onFatal: (error) => assert.fail(error),
  });
  await store.open();
  return store;
};

describe('a store on a full disk', { skip: process.getuid?.() === 0 ? false : 'needs root to mount a tmpfs' }, () => {
  it('refuses writes with DiskFull, keeps all it acknowledged, and goes on when there is room', () =>
    onSmallDisk(async (folder) => {
      const store = await open(folder);
      const filler = join(folder, 'filler');
      writeFileSync(filler, Buffer.alloc(600 * 1024));
      const acknowledged = new Map<string, number>();
      const errors: unknown[] = [];
      const write = async (n: number): Promise<void> => {
        const key = `/r/${n}`;
        await store.write({ key, value: value(n) }).then(
          () => acknowledged.set(key, n),
          (error: unknown) => errors.push(error),
        );
      };
      for (let n = 0; errors.length < 20; n++) await write(n);
      assert.ok(
        errors.every((error) => error instanceof DiskFull),
        String(errors[0]),
      );
      assert.ok(acknowledged.size > 50);
      rmSync(filler);
      for (let n = 10_000; n < 10_100; n++) await write(n);
      assert.equal(errors.length, 20);
      await store.close();
      const again = await open(folder);
      const { entries } = await again.loadAll();
      assert.deepEqual(new Set(entries.map((e) => e.key)), new Set(acknowledged.keys()));
      for (const entry of entries) assert.deepEqual(Buffer.from(entry.value), value(acknowledged.get(entry.key)!));
      await again.close();
    }));
});
