import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createContainerdSupervisor } from '../../../src/runtime/containerd/supervisor.ts';
import type { RuntimeEvent } from '../../../src/runtime/runtime.ts';
import { ContainerdFixture } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';

isolated(import.meta.url, (place) => {
  describe('supervised containerd', () => {
    for (const sharedShim of [false, true]) {
      test(`pods outlive its death; events say that some are missing (${sharedShim ? 'one shim' : 'a shim per pod'})`, async () => {
        const fixture = new ContainerdFixture({ ...place, version: '1.7', sharedShim });
        await fixture.start();
        try {
          await outliveDeath(fixture);
        } finally {
          await fixture.stop();
        }
        await eventually('no shim is left', () => commands('containerd-shim').length <= (sharedShim ? 1 : 0));
      });
    }

    test('a new supervisor goes on with a running containerd, and replaces one with other settings', async () => {
      const first = new ContainerdFixture({ ...place, version: '1.7', sharedShim: false });
      await first.start();
      const [pid] = commands('/containerd --config');
      await first.abandon();
      const second = new ContainerdFixture({ ...place, version: '1.7', sharedShim: false });
      await second.start();
      assert.deepEqual(commands('/containerd --config'), [pid]);
      const pod = await second.runPod(['sleep', '100000']);
      await second.abandon();
      const third = new ContainerdFixture({
        ...place,
        version: '1.7',
        sharedShim: false,
        environment: { NO_PROXY: '10.0.0.0/8' },
      });
      await third.start();
      const [replaced, ...others] = commands('/containerd --config');
      assert.ok(replaced !== undefined && replaced !== pid && others.length === 0);
      assert.equal((await third.runtime.containerStatus(pod.containerId))?.state, 'running');
      await third.stop();
      assert.deepEqual(commands('/containerd --config'), []);
    });

    test('the memory limit of one container does not touch another', async () => {
      const fixture = new ContainerdFixture({ ...place, version: '1.7', sharedShim: true });
      await fixture.start();
      try {
        const events: RuntimeEvent[] = [];
        const end = fixture.runtime.events({ onEvent: (event) => events.push(event), onGap: () => {} });
        const bystander = await fixture.runPod(['sleep', '100000']);
        const victim = await fixture.runPod(['sh', '-c', 'x=$(yes | head -c 200000000)'], {
          container: { resources: { memoryLimitBytes: 16 * 1024 * 1024, oomScoreAdj: 1000 } },
        });
        const killed = await eventually('it is killed', async () => {
          const container = await fixture.runtime.containerStatus(victim.containerId);
          return container?.state === 'exited' && container.reason === 'OOMKilled' ? container : undefined;
        });
        assert.equal(killed.exitCode, 137);
        assert.ok(events.some((event) => event.type === 'oom' && event.id === victim.containerId));
        assert.equal((await fixture.runtime.containerStatus(bystander.containerId))?.state, 'running');
        end();
      } finally {
        await fixture.stop();
      }
    });

    test('what keeps containerd from starting is told', async () => {
      const supervisor = createContainerdSupervisor({
        binDir: join(place.folder, 'nothing'),
        dataDir: join(place.folder, 'failing'),
        runDir: '/run/failing',
        cniConfDir: join(place.folder, 'cni'),
        cniBinDir: join(place.folder, 'cni'),
        registriesDir: join(place.folder, 'registries'),
        sharedShim: false,
        logger: { debug() {}, info() {}, warn() {}, error() {}, child: () => supervisorLogger },
      });
      await assert.rejects(supervisor.start(), /nothing/);
      await supervisor.stop();
    });
  });
});

const supervisorLogger = { debug() {}, info() {}, warn() {}, error() {}, child: () => supervisorLogger };

async function outliveDeath(fixture: ContainerdFixture): Promise<void> {
  const { runtime } = fixture;
  const events: RuntimeEvent[] = [];
  let gaps = 0;
  runtime.events({ onEvent: (event) => events.push(event), onGap: () => gaps++ });
  const pod = await fixture.runPod(['sleep', '100000']);
  const session = await runtime.exec(pod.containerId, {
    command: ['sh', '-c', 'cat; exit 8'],
    stdin: true,
    stdout: true,
    stderr: false,
    tty: false,
  });
  let output = '';
  session.stdout?.on('data', (chunk) => (output += chunk));
  const [pid] = commands('/containerd --config');
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  session.stdin?.write('during the outage\n');
  await eventually('the outage is noticed and over', () => gaps === 2);
  await eventually('the command has gone on', () => output === 'during the outage\n');
  session.stdin?.end();
  assert.deepEqual(await session.exit, { exitCode: 8 });
  assert.equal((await runtime.containerStatus(pod.containerId))?.state, 'running');
  const { exitCode } = await runtime.execSync(pod.containerId, ['true'], 10_000);
  assert.equal(exitCode, 0);
  await runtime.stopContainer(pod.containerId, 0);
  await eventually('its end is told', () => events.some((event) => event.type === 'stopped' && event.id === pod.containerId));
}

/** Processes of these namespaces whose command line contains `text`. */
function commands(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
