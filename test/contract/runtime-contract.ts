import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import {
  type Container,
  type ContainerConfig,
  type Runtime,
  type RuntimeEvent,
  RuntimeTimeout,
  type SandboxConfig,
} from '../../src/runtime/runtime.ts';
import { eventually } from '../support/eventually.ts';

/** An implementation under test, with what it needs to run `sh`, `sleep` and `true` in containers. */
export interface RuntimeHarness {
  readonly runtime: Runtime;
  /** An image that is there. */
  readonly image: string;
  sandboxConfig(changes?: Partial<SandboxConfig>): SandboxConfig;
  containerConfig(command: readonly string[], changes?: Partial<ContainerConfig>): ContainerConfig;
  close(): Promise<void>;
}

interface Pod {
  readonly sandboxId: string;
  readonly sandbox: SandboxConfig;
}

/** What every Runtime has to do. `create` is called once; the suite removes what it has made. */
export function runtimeContract(name: string, create: () => Promise<RuntimeHarness>): void {
  describe(`runtime contract: ${name}`, () => {
    let harness: RuntimeHarness;
    let runtime: Runtime;
    before(async () => {
      harness = await create();
      runtime = harness.runtime;
    });
    after(() => harness.close());

    const inPod = async (work: (pod: Pod) => Promise<void>, changes: Partial<SandboxConfig> = {}): Promise<void> => {
      const sandbox = harness.sandboxConfig(changes);
      const sandboxId = await runtime.runSandbox(sandbox);
      try {
        await work({ sandbox, sandboxId });
      } finally {
        await runtime.stopSandbox(sandboxId);
        await runtime.removeSandbox(sandboxId);
      }
    };
    const make = (pod: Pod, command: readonly string[], changes: Partial<ContainerConfig> = {}): Promise<string> =>
      runtime.createContainer(pod.sandboxId, harness.containerConfig(command, changes), pod.sandbox);
    const start = async (pod: Pod, command: readonly string[], changes: Partial<ContainerConfig> = {}): Promise<string> => {
      const id = await make(pod, command, changes);
      await runtime.startContainer(id);
      return id;
    };
    const exited = (id: string): Promise<Container> =>
      eventually(`container ${id} exits`, async () => {
        const container = await runtime.containerStatus(id);
        return container?.state === 'exited' ? container : undefined;
      });

    test('is ready', async () => {
      assert.deepEqual(await runtime.status(), { runtimeReady: true, networkReady: true, message: '' });
      assert.notEqual((await runtime.version()).version, '');
    });

    test('a sandbox is listed, stops, and is gone after removal', async () => {
      const config = harness.sandboxConfig();
      const id = await runtime.runSandbox(config);
      const [sandbox] = await runtime.listSandboxes({ podUid: config.podUid });
      assert.ok(sandbox);
      assert.equal(sandbox.id, id);
      assert.equal(sandbox.ready, true);
      assert.equal(sandbox.name, config.name);
      assert.equal(sandbox.namespace, config.namespace);
      assert.equal(sandbox.ips.length, 1);
      assert.ok(sandbox.networkNamespacePath);
      for (const [key, value] of Object.entries(config.labels)) assert.equal(sandbox.labels[key], value);
      for (const [key, value] of Object.entries(config.annotations)) assert.equal(sandbox.annotations[key], value);
      await runtime.stopSandbox(id);
      await runtime.stopSandbox(id);
      assert.equal((await runtime.listSandboxes({ podUid: config.podUid }))[0]?.ready, false);
      await runtime.removeSandbox(id);
      await runtime.removeSandbox(id);
      assert.deepEqual(await runtime.listSandboxes({ podUid: config.podUid }), []);
    });

    test('sandboxes are found by pod', async () => {
      await inPod((one) =>
        inPod(async (two) => {
          assert.deepEqual(
            (await runtime.listSandboxes({ podUid: two.sandbox.podUid })).map((s) => s.id),
            [two.sandboxId],
          );
          const all = (await runtime.listSandboxes()).map((s) => s.id);
          assert.ok(all.includes(one.sandboxId) && all.includes(two.sandboxId));
        }),
      );
    });

    test('a sandbox on the host network has no address and no namespace', async () => {
      await inPod(
        async (pod) => {
          const [sandbox] = await runtime.listSandboxes({ podUid: pod.sandbox.podUid });
          assert.deepEqual(sandbox?.ips, []);
          assert.equal(sandbox?.networkNamespacePath, undefined);
        },
        { hostNetwork: true },
      );
    });

    test('a container goes from created to running to exited', async () => {
      await inPod(async (pod) => {
        const id = await make(pod, ['sleep', '1000']);
        const created = await runtime.containerStatus(id);
        assert.equal(created?.state, 'created');
        assert.equal(created.sandboxId, pod.sandboxId);
        await runtime.startContainer(id);
        const running = await runtime.containerStatus(id);
        assert.equal(running?.state, 'running');
        assert.ok(running.startedAtMs >= running.createdAtMs && running.createdAtMs > 0);
        assert.equal(running.name, 'main');
        assert.equal(running.labels['tier'], 'test');
        assert.deepEqual(
          (await runtime.listContainers({ sandboxId: pod.sandboxId })).map((c) => c.id),
          [id],
        );
        await runtime.stopContainer(id, 0);
        const stopped = await runtime.containerStatus(id);
        assert.equal(stopped?.state, 'exited');
        assert.ok(stopped.exitCode >= 128);
        await runtime.removeContainer(id);
        await runtime.removeContainer(id);
        assert.equal(await runtime.containerStatus(id), undefined);
      });
    });

    for (const [script, exitCode, reason] of [
      ['exit 0', 0, 'Completed'],
      ['exit 7', 7, 'Error'],
    ] as const) {
      test(`a container that says ${script} is ${reason}`, async () => {
        await inPod(async (pod) => {
          const container = await exited(await start(pod, ['sh', '-c', script]));
          assert.equal(container.exitCode, exitCode);
          assert.equal(container.reason, reason);
          assert.ok(container.finishedAtMs >= container.startedAtMs);
        });
      });
    }

    test('events tell of starts and ends; a list made because of one shows it', async () => {
      const events: RuntimeEvent[] = [];
      let statesAtStop: string[] = [];
      let gaps = 0;
      const end = runtime.events({
        onEvent: (event) => {
          events.push(event);
          if (event.type === 'stopped')
            void runtime.listContainers().then((all) => (statesAtStop = all.map((c) => `${c.id} ${c.state}`)));
        },
        onGap: () => gaps++,
      });
      try {
        await eventually('the stream of events is live', () => gaps === 1);
        await inPod(async (pod) => {
          const id = await start(pod, ['sh', '-c', 'exit 7']);
          await eventually('the exit is shown', () => statesAtStop.includes(`${id} exited`));
          const own = events.filter((event) => event.id === id);
          assert.deepEqual(
            own.map((event) => event.type).filter((type) => type !== 'created'),
            ['started', 'stopped'],
          );
          assert.equal(own.at(-1)?.exitCode, 7);
        });
      } finally {
        end();
      }
    });

    test('execSync gives exit code and output', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sleep', '1000']);
        const { exitCode, output } = await runtime.execSync(id, ['sh', '-c', 'echo out; echo err >&2; exit 3'], 10_000);
        assert.equal(exitCode, 3);
        assert.deepEqual(output.trim().split('\n').sort(), ['err', 'out']);
        assert.deepEqual(await runtime.execSync(id, ['true'], 10_000), { exitCode: 0, output: '' });
      });
    });

    test('execSync ends at its time limit', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sleep', '1000']);
        await assert.rejects(runtime.execSync(id, ['sleep', '1000'], 300), RuntimeTimeout);
      });
    });

    test('a command that is not there, or whose container does not run, is refused', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sleep', '1000']);
        await assert.rejects(runtime.execSync(id, ['/no/such/program'], 10_000), /no\/such\/program/);
        await runtime.stopContainer(id, 0);
        await assert.rejects(runtime.execSync(id, ['true'], 10_000), Error);
        await assert.rejects(runtime.exec(id, { command: ['true'], ...outputs }), Error);
      });
    });

    test('exec: stdin can be closed alone, output comes whole, then the exit code', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sleep', '1000']);
        const session = await runtime.exec(id, { command: ['sh', '-c', 'cat; echo after; exit 4'], ...outputs, stdin: true });
        const read = Promise.all([text(session.stdout), text(session.stderr)]);
        session.stdin?.write('before\n');
        session.stdin?.end();
        assert.deepEqual(await session.exit, { exitCode: 4 });
        assert.deepEqual(await read, ['before\nafter\n', '']);
      });
    });

    test('exec: closing the session kills the command', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sleep', '1000']);
        const session = await runtime.exec(id, { command: ['sleep', '1000'], ...outputs });
        session.stdout?.resume();
        session.stderr?.resume();
        await session.close();
        assert.deepEqual(await session.exit, { exitCode: 137 });
      });
    });

    test('attach reaches the main process', async () => {
      await inPod(async (pod) => {
        const id = await start(pod, ['sh', '-c', 'cat; echo after; exit 5'], { stdin: true, stdinOnce: true });
        const session = await runtime.attach(id, { stdin: true, stdout: true, stderr: true, tty: false });
        const read = text(session.stdout);
        session.stderr?.resume();
        session.stdin?.end('typed\n');
        await session.exit;
        assert.equal(await read, 'typed\nafter\n');
        assert.equal((await exited(id)).exitCode, 5);
      });
    });

    test('removing a sandbox takes its running containers with it', async () => {
      const sandbox = harness.sandboxConfig();
      const sandboxId = await runtime.runSandbox(sandbox);
      const id = await start({ sandbox, sandboxId }, ['sleep', '1000']);
      await runtime.removeSandbox(sandboxId);
      assert.equal(await runtime.containerStatus(id), undefined);
    });

    test('what is not there is undefined, and can be stopped and removed', async () => {
      const unknown = '0'.repeat(64);
      assert.equal(await runtime.containerStatus(unknown), undefined);
      await runtime.stopContainer(unknown, 0);
      await runtime.removeContainer(unknown);
      await runtime.stopSandbox(unknown);
      await runtime.removeSandbox(unknown);
      assert.equal(await runtime.imageStatus('skiff.dev/no/such:image'), undefined);
    });

    test('an image is found by name and by id', async () => {
      const image = await runtime.imageStatus(harness.image);
      assert.ok(image);
      assert.ok(image.tags.includes(harness.image));
      assert.ok(image.sizeBytes > 0);
      assert.equal((await runtime.imageStatus(image.id))?.id, image.id);
      assert.ok((await runtime.listImages()).some((listed) => listed.id === image.id));
    });

    test('a container needs its image', async () => {
      await inPod(async (pod) => {
        await assert.rejects(make(pod, ['true'], { image: 'skiff.dev/no/such:image' }), /image/);
      });
    });

    test('a port nobody listens on is refused', async () => {
      await inPod(async (pod) => {
        const forwarded = async (): Promise<void> => {
          const stream = await runtime.portForward(pod.sandboxId, 9);
          stream.resume();
          await new Promise((resolve, reject) => stream.once('error', reject).once('end', resolve));
        };
        await assert.rejects(forwarded(), /port 9/);
      });
    });
  });
}

const outputs = { stdin: false, stdout: true, stderr: true, tty: false };

async function text(stream: Readable | undefined): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}
