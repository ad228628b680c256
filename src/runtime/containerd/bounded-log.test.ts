import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FakeClock } from '../../lib/clock.ts';
import { BoundedLog } from './bounded-log.ts';

describe('bounded log', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skiff-log-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('a large file is moved aside, a small one stays', async () => {
    const file = join(folder, 'large.log');
    await writeFile(file, Buffer.alloc(3 * 1024 * 1024, 'x'));
    const log = new BoundedLog(file, new FakeClock());
    await log.start();
    assert.equal((await stat(file)).size, 0);
    assert.equal((await stat(`${file}.1`)).size, 3 * 1024 * 1024);
    await writeFile(file, 'small');
    await log.start();
    assert.equal(await readFile(file, 'utf8'), 'small');
    log.stop();
  });

  test('the tail is the end, or nothing when there is no file', async () => {
    const file = join(folder, 'tail.log');
    assert.equal(await new BoundedLog(file, new FakeClock()).tail(), '');
    await writeFile(file, `${'x'.repeat(5000)}\nlast line\n`);
    assert.match(await new BoundedLog(file, new FakeClock()).tail(), /^x{1,2000}\nlast line$/);
  });
});
