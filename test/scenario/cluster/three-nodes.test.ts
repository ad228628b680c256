import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Machine, Machines, type SkiffProcess } from '../../support/machines.ts';

isolated(import.meta.url, (place) => {
  describe('a server and two agents', () => {
    const machines = new Machines(place);
    let server: Machine;
    let agents: Machine[];
    let serverProcess: SkiffProcess;
    let agentProcess: SkiffProcess;
    let token: string;

    before(async () => {
      server = machines.add('pi1');
      agents = [machines.add('pi2'), machines.add('pi3')];
      serverProcess = server.startServer();
      token = await server.nodeToken();
      agentProcess = agents[0]!.startAgent(server, token);
      agents[1]!.startAgent(server, token);
      for (const machine of [server, ...agents]) await machine.nodeReady(server);
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG'])
        for (const machine of [server, ...agents]) console.error(`--- ${machine.name}\n${machine.log}`);
      await machines.stop();
    });

    const get = (...args: string[]): Promise<string> => server.kubectl('get', ...args);
    const readyReplicas = async (): Promise<number> =>
      Number(await get('deployment', 'hello', '-o', 'jsonpath={.status.readyReplicas}'));
    const containerIds = (): Promise<string> =>
      get(
        'pods',
        '-l',
        'app=hello',
        '-o',
        'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
      );

    it('spreads pods over the nodes', async () => {
      await server.kubectl('apply', '-f', resolve('docs/examples/hello.yaml'));
      await eventually('three ready pods', async () => (await readyReplicas()) === 3, 30_000);
      const nodes = (await get('pods', '-l', 'app=hello', '-o', 'jsonpath={.items[*].spec.nodeName}')).split(' ');
      assert.deepEqual([...new Set(nodes)].sort(), ['pi1', 'pi2', 'pi3']);
    });

    it('answers the service on every node, from every pod', async () => {
      const ip = await get('service', 'hello', '-o', 'jsonpath={.spec.clusterIP}');
      for (const machine of [server, ...agents]) {
        const seen = new Set<string>();
        await eventually(
          `answers of all three pods on ${machine.name}`,
          async () => {
            const answer = await machine.run('curl', ['-s', '-m', '2', `http://${ip}/`]);
            seen.add(/Hello from (\S+)/.exec(answer)?.[1] ?? '');
            return seen.size >= 3;
          },
          30_000,
        );
      }
      const pod = (await get('pods', '-l', 'app=hello', '-o', 'jsonpath={.items[0].metadata.name}')).trim();
      const answer = await server.kubectl(
        'exec',
        pod,
        '--',
        'sh',
        '-c',
        `for i in 1 2 3 4 5 6; do printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc -w 2 ${ip} 80 | tail -1; done`,
      );
      assert.ok(new Set(answer.match(/Hello from \S+/g)).size >= 2, answer);
    });

    it('reaches logs and commands on other nodes', async () => {
      const pod = await get(
        'pods',
        '-l',
        'app=hello',
        '--field-selector',
        'spec.nodeName=pi3',
        '-o',
        'jsonpath={.items[0].metadata.name}',
      );
      assert.equal((await server.kubectl('exec', pod, '--', 'hostname')).trim(), pod);
      await server.kubectl('logs', pod);
    });

    it('keeps pods running when an agent restarts', async () => {
      const before = await containerIds();
      assert.equal(await agentProcess.stop(), 0);
      agentProcess = agents[0]!.startAgent(server, token);
      await agents[0]!.nodeReady(server);
      await eventually('three ready pods', async () => (await readyReplicas()) === 3);
      assert.equal(await containerIds(), before);
    });

    it('keeps pods running when containerd is killed', async () => {
      const before = await containerIds();
      const record = JSON.parse(readFileSync('/run/skiff-pi2/containerd/containerd.json', 'utf8')) as { pid: number };
      process.kill(record.pid, 'SIGKILL');
      const pod = await get(
        'pods',
        '-l',
        'app=hello',
        '--field-selector',
        'spec.nodeName=pi2',
        '-o',
        'jsonpath={.items[0].metadata.name}',
      );
      await eventually(
        'commands work again',
        async () => (await server.kubectl('exec', pod, '--', 'hostname')).trim() === pod,
        60_000,
      );
      assert.equal(await containerIds(), before);
    });

    it('keeps pods running when the server is killed', async () => {
      const before = await containerIds();
      await serverProcess.stop('SIGKILL');
      serverProcess = server.startServer();
      await server.nodeReady(server);
      for (const agent of agents) await agent.nodeReady(server);
      await eventually('three ready pods', async () => (await readyReplicas()) === 3);
      assert.equal(await containerIds(), before);
    });

    it('moves pods when a node is drained', async () => {
      await server.kubectl('drain', 'pi3', '--ignore-daemonsets', '--force');
      await eventually(
        'three ready pods elsewhere',
        async () => {
          const nodes = (await get('pods', '-l', 'app=hello', '-o', 'jsonpath={.items[*].spec.nodeName}')).split(' ');
          return nodes.length === 3 && !nodes.includes('pi3') && (await readyReplicas()) === 3;
        },
        60_000,
      );
      await server.kubectl('uncordon', 'pi3');
    });

    it('refuses a second machine under a name that is taken', async () => {
      const other = machines.add('pi4');
      const refused = other.start([
        'agent',
        ...other.flags,
        '--node-name',
        'pi2',
        '--server',
        `https://${server.ip}:6443`,
        '--token',
        token,
      ]);
      await eventually('a clear error', () => /already taken|another machine/i.test(other.log), 30_000);
      await refused.stop();
      assert.equal(
        await get('node', 'pi2', '-o', 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'),
        agents[0]!.ip,
      );
    });
  });
});
