import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemMounter } from '../../../src/agent/volumes/mounter.ts';
import type { Container } from '../../../src/api/generated/types.ts';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { Node } from '../../../src/api/kinds/core/node.ts';
import { Pod } from '../../../src/api/kinds/core/pod.ts';
import { Secret } from '../../../src/api/kinds/core/secret.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { CriRuntime } from '../../../src/runtime/cri/cri-runtime.ts';
import { AgentBench, nodeName } from '../../support/agent-bench.ts';
import { busyboxImage, ContainerdFixture } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';

const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'main',
  image: busyboxImage,
  imagePullPolicy: 'Never',
  command: ['sh', '-c', script],
  ...more,
});

isolated(import.meta.url, (place) => {
  describe('pods on a real containerd', () => {
    const fixture = new ContainerdFixture({ ...place, version: '1.7', sharedShim: true });
    const cgroupRoot = `${place.cgroupRoot}/kubepods`;
    let bench: AgentBench;

    before(async () => {
      await fixture.start();
      bench = await AgentBench.start({
        runtime: () =>
          new CriRuntime({ socketPath: fixture.supervisor.socket, runDir: '/run/agent', sharedShim: true, logger: silentLogger }),
        folder: join(place.folder, 'bench'),
        mounter: systemMounter,
        options: { cgroupMount: '/sys/fs/cgroup', cgroupRoot, runDir: '/run/agent' },
      });
    });
    after(async () => {
      await bench?.stop();
      await fixture.stop();
    });

    const cgroups = (): string[] => {
      const base = existsSync('/sys/fs/cgroup/memory') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
      return readdirSync(`${base}${cgroupRoot}/burstable`).filter((n) => n.startsWith('pod'));
    };

    it('has a ready node', async () => {
      const node = await eventually('ready', async () => {
        const found = await bench.client.get(Node, { name: nodeName });
        return found.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ? found : undefined;
      });
      assert.match(node.status.nodeInfo?.containerRuntimeVersion ?? '', /^containerd:\/\/1\.7/);
    });

    it('gives a container its volumes, environment and limits, and cleans up', async () => {
      await bench.client.create(ConfigMap, {
        metadata: { name: 'settings', namespace: 'default' },
        data: { 'app.conf': 'first', MODE: 'fast' },
      });
      await bench.client.create(Secret, {
        metadata: { name: 'keys', namespace: 'default' },
        data: { token: Buffer.from('s3cret').toString('base64') },
      });
      const script = [
        'cat /config/app.conf; echo',
        'cat /keys/token; echo',
        'echo $MODE $POD_NAME $POD_IP $CPU_LIMIT $DERIVED',
        'echo hi > /shared/file; cat /one/inside',
        'cat /info/labels; echo; stat -c %a /keys/token 2>/dev/null',
        'grep -c web /etc/hosts; hostname; grep search /etc/resolv.conf',
        'while true; do sleep 1; done',
      ].join('; ');
      const pod = await bench.runPod(
        'full',
        {
          volumes: [
            { name: 'config', configMap: { name: 'settings', items: [{ key: 'app.conf', path: 'app.conf' }] } },
            { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
            { name: 'shared', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
            { name: 'info', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            { name: 'disk', emptyDir: {} },
          ],
          hostAliases: [{ ip: '1.2.3.4', hostnames: ['web.local'] }],
          initContainers: [
            shell('mkdir -p /disk/sub; echo from-init > /disk/sub/inside', {
              name: 'prepare',
              volumeMounts: [{ name: 'disk', mountPath: '/disk' }],
            }),
          ],
          containers: [
            shell(script, {
              resources: { requests: { cpu: '100m', memory: '16Mi' }, limits: { cpu: '500m', memory: '32Mi' } },
              env: [
                { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'MODE' } } },
                { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                { name: 'CPU_LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
                { name: 'DERIVED', value: '<$(MODE)>' },
              ],
              volumeMounts: [
                { name: 'config', mountPath: '/config' },
                { name: 'keys', mountPath: '/keys', readOnly: true },
                { name: 'shared', mountPath: '/shared' },
                { name: 'info', mountPath: '/info' },
                { name: 'disk', mountPath: '/one', subPath: 'sub' },
              ],
            }),
          ],
        },
        { labels: { app: 'full', tier: 'x' } },
      );
      const running = await bench.podWhen('full', 'ready', (p) => p.status.containerStatuses?.[0]?.ready);
      const log = await eventually('the output', async () => {
        const { body } = await bench.ask('/containerLogs/default/full/main');
        return body.includes('search') ? body : undefined;
      });
      const lines = log.split('\n');
      assert.equal(lines[0], 'first');
      assert.equal(lines[1], 's3cret');
      assert.equal(lines[2], `fast full ${running.status.podIP} 500 <fast>`);
      assert.equal(lines[3], 'from-init');
      assert.ok(log.includes('app="full"\ntier="x"'), log);
      assert.ok(lines.includes('full'), log);
      assert.ok(log.includes('search default.svc.cluster.local svc.cluster.local cluster.local'), log);
      assert.equal(running.status.qosClass, 'Burstable');
      assert.deepEqual(cgroups(), [`pod${pod.metadata.uid}`]);

      await bench.client.patch(
        ConfigMap,
        { namespace: 'default', name: 'settings' },
        { type: 'merge', body: { data: { 'app.conf': 'second' } } },
      );
      const path = join(bench.folder, 'agent/pods', pod.metadata.uid, 'volumes/config/app.conf');
      await eventually('the new configuration', () => readFileSync(path, 'utf8') === 'second');

      await bench.client.delete(Pod, { namespace: 'default', name: 'full' });
      await bench.gone('full');
      assert.deepEqual(cgroups(), []);
      assert.equal(existsSync(join(bench.folder, 'agent/pods', pod.metadata.uid)), false);
      assert.equal(existsSync(join('/run/agent/pods', pod.metadata.uid)), false);
      assert.deepEqual(await systemMounter.mountsBelow(join(bench.folder, 'agent/pods')), []);
    });

    it('resizes a container while it runs', async () => {
      const limits = (cpu: string, memory: string): NonNullable<Container['resources']> => ({
        requests: { cpu, memory },
        limits: { cpu, memory },
      });
      const pod = await bench.runPod('sized', { containers: [shell('sleep 1000', { resources: limits('100m', '32Mi') })] });
      await bench.podWhen('sized', 'running', (p) => p.status.phase === 'Running');
      const body = { spec: { containers: [{ name: 'main', resources: limits('300m', '64Mi') }] } };
      await bench.client.patch(Pod, { namespace: 'default', name: 'sized' }, { type: 'strategic', body, subresource: 'resize' });
      const resized = await bench.podWhen(
        'sized',
        'resized',
        (p) => p.status.containerStatuses?.[0]?.resources?.limits?.['cpu'] === '300m',
      );
      assert.equal(resized.status.containerStatuses?.[0]?.restartCount, 0);
      const group = `${cgroupRoot}/pod${pod.metadata.uid}`;
      const id = resized.status.containerStatuses![0]!.containerID!.replace('containerd://', '');
      const v1 = existsSync('/sys/fs/cgroup/memory');
      for (const path of [group, `${group}/${id}`]) {
        const file = v1 ? `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes` : `/sys/fs/cgroup${path}/memory.max`;
        await eventually(`${file} is larger`, () => readFileSync(file, 'utf8').trim() === String(64 * 1024 * 1024));
      }
      await bench.client.delete(Pod, { namespace: 'default', name: 'sized' }, { gracePeriodSeconds: 0 });
      await bench.gone('sized');
      await eventually('its containers are gone', async () => (await fixture.runtime.listSandboxes()).length === 0);
    });

    it('restarts what fails, with growing pauses, and tells why', async () => {
      await bench.runPod('crash', { containers: [shell('echo broken > /dev/termination-log; exit 3')] });
      const pod = await bench.podWhen(
        'crash',
        'backing off',
        (p) => p.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
      );
      const [status] = pod.status.containerStatuses!;
      assert.equal(status!.lastState?.terminated?.exitCode, 3);
      assert.equal(status!.lastState?.terminated?.message, 'broken\n');
      assert.equal(status!.restartCount, 1);
      assert.equal(pod.status.phase, 'Running');
      assert.match(status!.state!.waiting!.message!, /^back-off 10s restarting failed container=main pod=crash_default\(/);
      await bench.client.delete(Pod, { namespace: 'default', name: 'crash' });
      await bench.gone('crash');
    });

    it('completes a pod that ends', async () => {
      await bench.runPod('job', { restartPolicy: 'Never', containers: [shell('echo done')] });
      const pod = await bench.podWhen('job', 'succeeded', (p) => p.status.phase === 'Succeeded');
      assert.equal(pod.status.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
      assert.equal((await bench.ask('/containerLogs/default/job/main')).body, 'done\n');
      await bench.client.delete(Pod, { namespace: 'default', name: 'job' });
      await bench.gone('job');
    });

    it('probes, restarts what is not alive, and runs hooks', async () => {
      await bench.runPod('probed', {
        containers: [
          shell('touch /tmp/alive; trap "exit 0" TERM; while true; do sleep 0.1; done', {
            livenessProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1 },
            readinessProbe: { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 },
            lifecycle: {
              postStart: { exec: { command: ['sh', '-c', 'echo hooked > /tmp/hook'] } },
              preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1'] } },
            },
          }),
        ],
      });
      const first = await bench.podWhen('probed', 'running', (p) => p.status.containerStatuses?.[0]?.state?.running);
      assert.equal(first.status.containerStatuses?.[0]?.ready, false);
      const id = first.status.containerStatuses![0]!.containerID!.replace('containerd://', '');
      await fixture.runtime.execSync(id, ['sh', '-c', 'cat /tmp/hook && touch /tmp/ready'], 5_000);
      await bench.podWhen('probed', 'ready', (p) => p.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
      await fixture.runtime.execSync(id, ['sh', '-c', 'mv /tmp/alive /tmp/dead'], 5_000);
      const again = await bench.podWhen('probed', 'restarted', (p) => p.status.containerStatuses?.[0]?.restartCount === 1);
      assert.equal(again.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 0);
      const events = await bench.events('probed');
      assert.ok(
        events.some((e) => e.startsWith('Unhealthy Liveness probe failed: cat:')),
        events.join('\n'),
      );
      assert.ok(events.includes('Killing Container main failed liveness probe, will be restarted'), events.join('\n'));
      await bench.client.delete(Pod, { namespace: 'default', name: 'probed' });
      await bench.gone('probed');
    });

    it('keeps sidecars beside the containers, and ends them last', async () => {
      await bench.runPod('sided', {
        restartPolicy: 'Never',
        initContainers: [shell('trap "exit 0" TERM; while true; do sleep 0.1; done', { name: 'side', restartPolicy: 'Always' })],
        containers: [shell('sleep 1; echo worked')],
      });
      const pod = await bench.podWhen('sided', 'succeeded', (p) => p.status.phase === 'Succeeded');
      assert.equal(pod.status.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 0);
      await bench.client.delete(Pod, { namespace: 'default', name: 'sided' });
      await bench.gone('sided');
    });

    it('survives a restart of the agent without touching its pods', async () => {
      await bench.runPod('steady', { containers: [shell('while true; do sleep 1; done')] });
      await bench.runPod('leaving', { containers: [shell('trap "exit 0" TERM; while true; do sleep 0.1; done')] });
      const before = await bench.podWhen('steady', 'ready', (p) => p.status.containerStatuses?.[0]?.ready);
      await bench.podWhen('leaving', 'ready', (p) => p.status.containerStatuses?.[0]?.ready);
      await bench.stopAgent();
      await bench.client.delete(Pod, { namespace: 'default', name: 'leaving' }, { gracePeriodSeconds: 0 });
      await bench.startAgent();
      await eventually('the orphan is gone', async () =>
        (await fixture.runtime.listSandboxes()).every((s) => s.name !== 'leaving'),
      );
      const after = await bench.pod('steady');
      assert.deepEqual(after.status.containerStatuses, before.status.containerStatuses);
      assert.equal((await fixture.runtime.listContainers()).filter((c) => c.state === 'running').length, 1);
      await bench.client.delete(Pod, { namespace: 'default', name: 'steady' });
      await bench.gone('steady');
    });
  });
});
