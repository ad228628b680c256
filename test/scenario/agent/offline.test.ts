import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { FakeRuntime } from '../../../src/runtime/fake-runtime.ts';
import { AgentBench } from '../../support/agent-bench.ts';
import { eventually } from '../../support/eventually.ts';

/** The agent gives its server 15 s before it starts the pods of its last run. */
const patienceMs = 40_000;

describe('an agent without its server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-offline-'));
  let runtime = new FakeRuntime();
  let bench: AgentBench;
  before(async () => {
    bench = await AgentBench.start({ runtime: () => runtime, folder });
    await bench.client.create(ConfigMap, { metadata: { name: 'settings', namespace: 'default' }, data: { a: 'kept' } });
    await bench.runPod('web', {
      containers: [
        {
          name: 'main',
          image: 'nginx:1',
          command: ['sleep'],
          env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }],
        },
      ],
      volumes: [{ name: 'v', configMap: { name: 'settings' } }],
    });
    await bench.podWhen('web', 'running', (p) => p.status.phase === 'Running');
  });
  after(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('restarts containers that end while the server is away', async () => {
    await bench.stopApi();
    const [container] = await runtime.listContainers();
    runtime.exitContainer(container!.id, 1);
    await eventually('a new container', async () =>
      (await runtime.listContainers()).some((c) => c.attempt === 1 && c.state === 'running'),
    );
  });

  it('starts its pods after a reboot, from what it remembers', async () => {
    await bench.stopAgent();
    runtime = new FakeRuntime();
    await bench.startAgent();
    await eventually(
      'the container runs',
      async () => (await runtime.listContainers()).some((c) => c.state === 'running'),
      patienceMs,
    );
    const uid = (await runtime.listSandboxes())[0]!.podUid;
    assert.equal(readFileSync(join(folder, 'agent/pods', uid, 'volumes/v/a'), 'utf8'), 'kept');
  });

  it('writes nothing while nothing happens', async () => {
    const calls = runtime.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const since = runtime.calls.slice(calls).filter((c) => c !== 'status');
    assert.deepEqual(since, []);
  });
});
