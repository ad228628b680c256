import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { bundledFileHashes, sha256Of } from '../../support/bundled-files.ts';
import { eventually } from '../../support/eventually.ts';
import { run, skiffProgram } from '../../support/machines.ts';

const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
const expected = { node: bundledFileHashes('node', arch), kubectl: bundledFileHashes('kubectl', arch) };

describe('the programs inside the executable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-unpack-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const unpack = (archive: string, target: string): Promise<string> => run(skiffProgram, ['unpack-archive', archive, target]);
  const check = (archive: 'node' | 'kubectl', target: string): void => {
    for (const [name, sha256] of Object.entries(expected[archive])) assert.equal(sha256Of(join(target, name)), sha256, name);
  };

  for (const archive of ['node', 'kubectl'] as const) {
    it(`${archive}: unpacked, they are the bytes of the packages`, async () => {
      const startedAt = performance.now();
      await unpack(archive, join(folder, archive));
      console.log(`unpacking ${archive}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      check(archive, join(folder, archive));
    });
  }

  it('are unpacked again after a crash in the middle, which leaves nothing behind', async () => {
    const parent = join(folder, 'crash');
    const target = join(parent, 'node');
    const child = spawn(skiffProgram, ['unpack-archive', 'node', target], { stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await eventually('half a file', () => statSync(join(parent, `node.new-${child.pid}`, 'containerd')).size > 1 << 20, 30_000);
    child.kill('SIGKILL');
    await exited;
    assert.ok(!existsSync(target));
    await unpack('node', target);
    check('node', target);
    assert.deepEqual(readdirSync(parent), ['node']);
  });

  it('may be unpacked by two processes at once', async () => {
    const parent = join(folder, 'twice');
    await Promise.all([unpack('kubectl', join(parent, 'kubectl')), unpack('kubectl', join(parent, 'kubectl'))]);
    check('kubectl', join(parent, 'kubectl'));
    assert.deepEqual(readdirSync(parent), ['kubectl']);
  });
});
