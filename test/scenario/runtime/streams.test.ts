import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { ContainerdFixture } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';

const megabyte = 1024 * 1024;

isolated(import.meta.url, (place) => {
  describe('streams of real containers', () => {
    let fixture: ContainerdFixture;
    let containerId: string;
    before(async () => {
      fixture = new ContainerdFixture({ ...place, version: '1.7', sharedShim: false });
      await fixture.start();
      ({ containerId } = await fixture.runPod(['sleep', '100000']));
    });
    after(() => fixture.stop());

    test('a command that only reads gets all of its stdin', async () => {
      const session = await fixture.runtime.exec(containerId, { command: ['sh', '-c', 'cat > /tmp/copy'], ...pipes });
      const data = randomBytes(5 * megabyte);
      session.stdin?.write(data.subarray(0, megabyte));
      session.stdin?.end(data.subarray(megabyte));
      assert.deepEqual(await session.exit, { exitCode: 0 });
      const copy = await fixture.runtime.exec(containerId, { command: ['cat', '/tmp/copy'], ...pipes, stdin: false });
      assert.ok((await bytes(copy.stdout)).equals(data));
      await copy.exit;
    });

    test('a slow reader gets all of the output', async () => {
      const session = await fixture.runtime.exec(containerId, {
        command: ['dd', 'if=/dev/zero', 'bs=64k', 'count=160'],
        ...pipes,
        stdin: false,
      });
      session.stderr?.resume();
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal((await bytes(session.stdout)).length, 10 * megabyte);
      assert.deepEqual(await session.exit, { exitCode: 0 });
    });

    test('a background child that keeps the output open does not keep the session', async () => {
      const session = await fixture.runtime.exec(containerId, { command: ['sh', '-c', 'sleep 60 & echo started'], ...pipes });
      session.stderr?.resume();
      assert.equal((await bytes(session.stdout)).toString(), 'started\n');
      assert.deepEqual(await session.exit, { exitCode: 0 });
      const sync = await fixture.runtime.execSync(containerId, ['sh', '-c', 'sleep 60 & echo started'], 20_000);
      assert.deepEqual(sync, { exitCode: 0, output: 'started\n' });
    });

    test('the output of execSync is cut', async () => {
      const { output } = await fixture.runtime.execSync(containerId, ['sh', '-c', 'yes | head -c 100000'], 20_000);
      assert.equal(output.length, 16 * 1024);
    });

    test('a terminal has the size it was given, and one stream', async () => {
      const session = await fixture.runtime.exec(containerId, {
        command: ['sh', '-c', 'read line; stty size; echo "$TERM"; exit 5'],
        ...pipes,
        tty: true,
      });
      assert.equal(session.stderr, undefined);
      await session.resize(111, 33);
      session.stdin?.write('go\n');
      const output = (await bytes(session.stdout)).toString();
      assert.match(output, /33 111\r\nxterm\r\n/);
      assert.deepEqual(await session.exit, { exitCode: 5 });
    });

    test('commands see the environment and name of their container', async () => {
      const { output } = await fixture.runtime.execSync(
        containerId,
        ['sh', '-c', 'echo $GREETING; hostname; cat /etc/resolv.conf'],
        10_000,
      );
      assert.match(output, /^grüß dich\npod-0000\nsearch default.svc.cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n/);
    });

    test('a terminal can be attached to, detached from, and resized', async () => {
      const pod = await fixture.runPod(['sh'], { container: { stdin: true, tty: true } });
      const session = await fixture.runtime.attach(pod.containerId, { stdin: true, stdout: true, stderr: false, tty: true });
      let output = '';
      session.stdout?.on('data', (chunk) => (output += chunk));
      await session.resize(77, 22);
      session.stdin?.write('stty size\n');
      await eventually('the size is shown', () => output.includes('22 77'));
      await session.close();
      const again = await fixture.runtime.attach(pod.containerId, { stdin: true, stdout: true, stderr: false, tty: true });
      again.stdout?.resume();
      again.stdin?.write('exit 6\n');
      await again.exit;
      await eventually(
        'the shell has ended',
        async () => (await fixture.runtime.containerStatus(pod.containerId))?.exitCode === 6,
      );
    });

    test('ports of a pod are reached through its own loopback', async () => {
      const pod = await fixture.runPod(['nc', '-ll', '-p', '8080', '-e', 'cat']);
      const data = randomBytes(megabyte);
      const stream = await eventually('the port is open', async () => {
        const candidate = await fixture.runtime.portForward(pod.sandboxId, 8080);
        const refused = new Promise((resolve) => candidate.once('error', resolve));
        const quiet = new Promise((resolve) => setTimeout(resolve, 100, 'open'));
        return (await Promise.race([refused, quiet])) === 'open' ? candidate : undefined;
      });
      const received = firstBytes(stream, data.length);
      stream.write(data);
      assert.ok((await received).equals(data));
      stream.destroy();
    });

    test('pods reach each other by address', async () => {
      const server = await fixture.runPod(['nc', '-ll', '-p', '7000', '-e', 'echo', 'hello']);
      const [sandbox] = await fixture.runtime.listSandboxes({ podUid: server.sandbox.podUid });
      await eventually('the greeting arrives', async () => {
        const { output } = await fixture.runtime.execSync(containerId, ['nc', sandbox!.ips[0]!, '7000'], 5000);
        return output === 'hello\n';
      });
    });

    test('logs are written line by line with time and stream, to a new file after rotation', async () => {
      const script = 'echo one; echo two >&2; printf partial; while read line; do echo "$line"; done';
      const pod = await fixture.runPod(['sh', '-c', script], { container: { stdin: true } });
      const file = join(pod.sandbox.logDirectory, 'main/0.log');
      const log = await eventually('the lines are there', () => {
        const text = readFileSync(file, 'utf8');
        return text.includes('two') && text.includes('one') ? text : undefined;
      });
      assert.match(log, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z stdout F one$/m);
      assert.match(log, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z stderr F two$/m);
      assert.equal((await fixture.runtime.containerStatus(pod.containerId))?.logPath, file);
      renameSync(file, `${file}.1`);
      await fixture.runtime.reopenLog(pod.containerId);
      const session = await fixture.runtime.attach(pod.containerId, { stdin: true, stdout: true, stderr: true, tty: false });
      session.stdin?.write('three\n');
      await eventually('the new file has the new line', () => readFileSync(file, 'utf8').includes('three'));
      await session.close();
    });
  });
});

const pipes = { stdin: true, stdout: true, stderr: true, tty: false };

async function bytes(stream: Readable | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function firstBytes(stream: Readable, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= count) resolve(Buffer.concat(chunks));
    });
    stream.once('error', reject).once('end', () => reject(new Error(`ended after ${size} bytes`)));
  });
}
