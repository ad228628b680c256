import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AgentBench, nodeName } from '../../test/support/agent-bench.ts';
import { eventually } from '../../test/support/eventually.ts';
import { Lease } from '../api/kinds/coordination/lease.ts';
import { Node } from '../api/kinds/core/node.ts';
import { Pod } from '../api/kinds/core/pod.ts';
import { FakeRuntime } from '../runtime/fake-runtime.ts';

describe('the agent with a fake runtime', () => {
  const runtime = new FakeRuntime();
  let bench: AgentBench;
  before(async () => {
    bench = await AgentBench.start({ runtime: () => runtime });
  });
  after(() => bench.stop());

  it('registers its node', async () => {
    const node = await bench.client.get(Node, { name: nodeName });
    assert.equal(node.metadata.labels?.['kubernetes.io/hostname'], nodeName);
    assert.equal(node.status.capacity?.['pods'], '110');
    assert.deepEqual(node.status.addresses, [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: nodeName },
    ]);
    assert.equal(node.status.daemonEndpoints?.kubeletEndpoint?.Port !== 0, true);
    const ready = node.status.conditions?.find((c) => c.type === 'Ready');
    assert.equal(ready?.status, 'False', 'this machine of the test has no memory cgroup');
    assert.match(ready?.message ?? '', /cgroup_enable=memory/);
    const lease = await bench.client.get(Lease, { namespace: 'kube-node-lease', name: nodeName });
    assert.equal(lease.spec.holderIdentity, nodeName);
  });

  it('runs a pod until it is deleted', async () => {
    await bench.runPod('web', { containers: [{ name: 'main', image: 'nginx:1', command: ['sleep'] }] });
    const pod = await bench.podWhen('web', 'running', (p) => p.status.phase === 'Running');
    assert.match(pod.status.podIP ?? '', /^10\.0\./);
    assert.equal(pod.status.containerStatuses?.[0]?.ready, true);
    assert.match(pod.status.containerStatuses?.[0]?.containerID ?? '', /^fake:\/\//);
    assert.deepEqual(
      pod.status.conditions?.map((c) => `${c.type} ${c.status}`),
      ['PodReadyToStartContainers True', 'Initialized True', 'Ready True', 'ContainersReady True', 'PodScheduled True'],
    );
    await bench.client.delete(Pod, { namespace: 'default', name: 'web' });
    await bench.gone('web');
    assert.deepEqual((await runtime.listSandboxes()).length, 0);
    const events = await eventually('all events', async () => {
      const found = await bench.events('web');
      return found.length >= 5 ? found : undefined;
    });
    assert.match(events[0] ?? '', /^Pulling Pulling image "nginx:1"/);
    assert.ok(events.includes('Created Container created'), events.join('\n'));
    assert.ok(events.includes('Started Container started'));
    assert.ok(events.includes('Killing Stopping container main'));
  });

  it('resizes a running container in place', async () => {
    const limits = (cpu: string): Record<string, Record<string, string>> => ({
      requests: { cpu, memory: '64Mi' },
      limits: { cpu, memory: '64Mi' },
    });
    await bench.runPod('sized', {
      containers: [{ name: 'main', image: 'nginx:1', command: ['sleep'], resources: limits('100m') }],
    });
    await bench.podWhen('sized', 'running', (p) => p.status.phase === 'Running');
    const body = { spec: { containers: [{ name: 'main', resources: limits('200m') }] } };
    const key = { namespace: 'default', name: 'sized' };
    await bench.client.patch(Pod, key, { type: 'strategic', body, subresource: 'resize' });
    const pod = await bench.podWhen(
      'sized',
      'resized',
      (p) => p.status.containerStatuses?.[0]?.resources?.limits?.['cpu'] === '200m',
    );
    assert.equal(pod.status.containerStatuses?.[0]?.restartCount, 0);
    assert.ok(runtime.calls.some((c) => c.startsWith('updateContainerResources')));
  });
});
