/** What happens when the disk refuses a sync. The test replaces `fs.fdatasync` for its whole process. */
import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLogger } from '../../src/lib/log.ts';

type Sync = (fd: number, done: (error: Error | null) => void) => void;
const realSync = fs.fdatasync as Sync;
let failing = false;
(fs as { fdatasync: Sync }).fdatasync = (fd, done) => {
  if (failing) setImmediate(done, new Error('EIO: i/o error, fdatasync'));
  else realSync(fd, done);
};
syncBuiltinESMExports();
const { SqliteStore } = await import('../../src/sqlite-store/sqlite-store.ts');

const folder = mkdtempSync(join(tmpdir(), 'skiff-sync-'));
after(() => rmSync(folder, { recursive: true }));

describe('a store whose disk refuses a sync', () => {
  it('acknowledges nothing any more, and says so once', async () => {
    const file = join(folder, 'state.db');
    const fatal: Error[] = [];
    const store = new SqliteStore({ file, log: silentLogger, onFatal: (error) => fatal.push(error), lockTimeoutMs: 1 });
    await store.open();
    await store.write({ key: '/r/kept', value: Buffer.from('1') });
    const delivered: string[] = [];
    store.subscribe((change) => delivered.push(change.key));
    failing = true;
    const lost = store.write({ key: '/r/lost', value: Buffer.from('1') });
    const behind = store.write({ key: '/r/kept', value: Buffer.from('2') });
    await assert.rejects(lost, /the disk with .* failed/);
    await assert.rejects(behind, /the disk with .* failed/);
    failing = false;
    await assert.rejects(store.write({ key: '/r/later', value: Buffer.from('1') }), /the disk with .* failed/);
    await assert.rejects(store.write({ key: '/r/lazy', value: Buffer.from('1'), lazy: true }), /the disk with .* failed/);
    assert.deepEqual([fatal.length, delivered], [1, []]);
    assert.equal(store.newest('/r/lost'), undefined);
    await store.close();
  });
});
