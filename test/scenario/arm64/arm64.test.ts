import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledFileHashes, sha256Of } from '../../support/bundled-files.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { run, SkiffProcess, skiffProgram } from '../../support/machines.ts';

const program = resolve('dist/skiff-linux-arm64');
const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'] as const;
/** Emulated, everything takes some twenty times as long. */
const emulatedMs = 180_000;

function emulated(args: readonly string[]): Promise<string> {
  return run(emulator[0], [...emulator.slice(1), ...args], { timeoutMs: emulatedMs });
}

isolated(import.meta.url, ({ folder }) => {
  const kubeconfig = join(folder, 'kubeconfig.yaml');
  const kubectl = (...args: string[]): Promise<string> =>
    run('env', [`SKIFF_DATA_DIR=${join(folder, 'own')}`, `KUBECONFIG=${kubeconfig}`, skiffProgram, 'kubectl', ...args]);

  describe('the arm64 executable', () => {
    let server: SkiffProcess;

    before(() => {
      const address = ['--bind-address', '127.0.0.1', '--advertise-address', '192.168.77.11', '--node-ip', '192.168.77.11'];
      const places = ['--data-dir', join(folder, 'data'), '--run-dir', join(folder, 'run'), '--write-kubeconfig', kubeconfig];
      const command = [...emulator, program, 'server', '--disable-agent', '--node-name', 'pi', ...address, ...places];
      server = new SkiffProcess(command, join(folder, 'skiff.log'), {});
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG']) console.error(readFileSync(join(folder, 'skiff.log'), 'utf8'));
      await server.stop();
    });

    it('says what it is', async () => assert.match(await emulated([program, '--version']), /^skiff \S+ \(.*, arm64\)$/m));

    it('serves the API', async () => {
      const readyz = ['-s', '--cacert', join(folder, 'data/server/tls/ca.crt'), 'https://127.0.0.1:6443/readyz'];
      assert.equal(await eventually('readyz', () => run('curl', readyz), emulatedMs), 'ok');
      assert.match(await eventually('namespaces', () => kubectl('get', 'namespaces'), emulatedMs), /^kube-system +Active/m);
    });

    it('stores what it acknowledged, with its own SQLite', async () => {
      assert.ok(readdirSync(join(folder, 'data/programs')).some((name) => /^better-sqlite3-.*\.node$/.test(name)));
      await kubectl('create', 'namespace', 'kept');
      assert.ok(existsSync(join(folder, 'data/server/db/state.db')));
      assert.equal(await server.stop(), 0);
    });
  });

  describe('the programs inside the arm64 executable', () => {
    for (const archive of ['node', 'kubectl'] as const) {
      it(`${archive}: unpacked, they are the bytes of the packages`, async () => {
        const target = join(folder, 'unpacked', archive);
        mkdirSync(join(folder, 'unpacked'), { recursive: true });
        await emulated([program, 'unpack-archive', archive, target]);
        for (const [name, sha256] of Object.entries(bundledFileHashes(archive, 'arm64')))
          assert.equal(sha256Of(join(target, name)), sha256, name);
      });
    }

    it('run', async () => {
      assert.match(await emulated([join(folder, 'unpacked/kubectl/kubectl'), 'version', '--client']), /v1\.36/);
      assert.match(await emulated([join(folder, 'unpacked/node/containerd'), '--version']), /1\.7\./);
    });
  });
});
