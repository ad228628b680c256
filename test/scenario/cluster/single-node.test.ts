import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Machine, Machines, type SkiffProcess, skiffProgram } from '../../support/machines.ts';

/** From apply to three Ready pods and an answering service, image present. */
const helloLimitMs = 10_000;

isolated(import.meta.url, (place) => {
  describe('a server with its own node', () => {
    const machines = new Machines(place);
    let pi: Machine;
    let skiff: SkiffProcess;

    before(async () => {
      pi = machines.add('pi1');
      skiff = pi.startServer();
      await pi.nodeReady(pi);
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG']) console.error(pi.log);
      await machines.stop();
    });

    const helloPods = async (): Promise<number> =>
      Number(await pi.kubectl('get', 'deployment', 'hello', '-o', 'jsonpath={.status.readyReplicas}'));

    it('writes an administrator kubeconfig only root can read', () => assert.equal(statSync(pi.kubeconfig).mode & 0o777, 0o600));

    it('is kubectl when it is called kubectl', async () => {
      const link = join(pi.folder, 'kubectl');
      symlinkSync(skiffProgram, link);
      const answer = await pi.run('env', [`SKIFF_DATA_DIR=${pi.dataDir}`, `KUBECONFIG=${pi.kubeconfig}`, link, 'version']);
      assert.match(answer, /^Client Version: v1\.36\./m);
      assert.match(answer, /^Server Version: v1\.36\./m);
    });

    it('runs the example within ten seconds', async () => {
      const startedAt = performance.now();
      await pi.kubectl('apply', '-f', resolve('docs/examples/hello.yaml'));
      await eventually('three ready pods', async () => (await helloPods()) === 3, 30_000);
      const ip = await pi.kubectl('get', 'service', 'hello', '-o', 'jsonpath={.spec.clusterIP}');
      const answer = await eventually('an answer', () => pi.run('curl', ['-s', '-m', '2', `http://${ip}/`]));
      const tookMs = performance.now() - startedAt;
      console.log(`from apply to an answering service: ${(tookMs / 1000).toFixed(1)} s`);
      assert.match(answer, /^Hello from hello-\w+-\w+ on pi1/);
      assert.ok(tookMs < helloLimitMs, `took ${Math.round(tookMs)} ms`);
    });

    it('lets pods reach the service by name', async () => {
      const pod = (await pi.kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      const answer = await pi.kubectl(
        'exec',
        pod,
        '--',
        'sh',
        '-c',
        'printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc hello.default.svc.cluster.local 80',
      );
      assert.match(answer, /Hello from/);
    });

    it('shows logs, and follows them', async () => {
      await pi.kubectl(
        'run',
        'talker',
        '--image=busybox:1.37',
        '--restart=Never',
        '--',
        'sh',
        '-c',
        'echo one; sleep 1; echo two; sleep 1; echo three >&2',
      );
      const followed = await eventually('logs', () => pi.kubectl('logs', '-f', 'talker'), 20_000);
      assert.equal(followed, 'one\ntwo\nthree\n');
      await eventually(
        'completed',
        async () => (await pi.kubectl('get', 'pod', 'talker', '-o', 'jsonpath={.status.phase}')) === 'Succeeded',
      );
      assert.equal(await pi.kubectl('logs', 'talker', '--tail=1'), 'three\n');
    });

    it('runs commands in containers, with their input and exit code', async () => {
      const pod = (await pi.kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      const text = 'x'.repeat(1 << 20);
      assert.equal(
        (await pi.kubectlWith({ input: text }, 'exec', '-i', pod, '--', 'sh', '-c', 'cat > /tmp/in; wc -c < /tmp/in')).trim(),
        String(1 << 20),
      );
      await assert.rejects(pi.kubectl('exec', pod, '--', 'sh', '-c', 'exit 3'), /exit code 3/);
    });

    it('keeps pods running while the server is away, and finds them again', async () => {
      const before = await pi.kubectl(
        'get',
        'pods',
        '-l',
        'app=hello',
        '-o',
        'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID}{"\\n"}{end}',
      );
      assert.equal(await skiff.stop(), 0);
      skiff = pi.startServer();
      await pi.nodeReady(pi);
      await eventually('three ready pods', async () => (await helloPods()) === 3);
      const after = await pi.kubectl(
        'get',
        'pods',
        '-l',
        'app=hello',
        '-o',
        'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID}{"\\n"}{end}',
      );
      assert.equal(after, before);
    });

    it('removes everything', async () => {
      const uids = (await pi.kubectl('get', 'pods', '-A', '-o', 'jsonpath={.items[*].metadata.uid}')).split(' ');
      await pi.kubectl('delete', 'pod', 'talker');
      await pi.kubectl('delete', '-f', resolve('docs/examples/hello.yaml'));
      await eventually('no pods', async () => (await pi.kubectl('get', 'pods', '-A', '-o', 'name')) === '', 60_000);
      await eventually('no containers', () => !commandLines().some((command) => command.includes('/tmp/www')), 30_000);
      await eventually('no cgroups', () => uids.every((uid) => !cgroupExists(pi.cgroupRoot, uid)));
      assert.doesNotMatch(await pi.run('nft', ['list', 'table', 'ip', 'skiff']), /dnat to 10\.42/);
    });
  });
});

/** The command lines of everything that runs in the namespaces of this test. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}

function cgroupExists(root: string, podUid: string): boolean {
  return ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].some((mount) =>
    ['', 'burstable/', 'besteffort/'].some((qos) => existsSync(`${mount}${root}/kubepods/${qos}pod${podUid}`)),
  );
}
