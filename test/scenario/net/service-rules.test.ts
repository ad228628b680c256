import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createNft } from '../../../src/net/nft/nft.ts';
import { renderChanges, renderTable, type Table } from '../../../src/net/nft/table.ts';
import { type HostPort, planTable } from '../../../src/net/proxy/plan.ts';
import type { ServicePort } from '../../../src/net/proxy/service-ports.ts';
import { servicePort } from '../../../src/net/proxy/testing.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { run } from '../../support/machines.ts';

const nodeIp = '192.168.77.11';
const outsideIp = '192.168.77.99';
const podIps = ['10.42.0.2', '10.42.0.3'] as const;

/** What a pod serves: its own address and who asked. */
const server = `require('net').createServer((s) => s.end(process.argv[1] + ' ' + s.remoteAddress.replace('::ffff:', ''))).listen(8080)`;
const client = `require('net').connect(+process.argv[2], process.argv[1]).on('data', (d) => process.stdout.write(d)).on('error', (e) => { process.stdout.write(e.code); }).setTimeout(2000, function () { process.stdout.write('TIMEOUT'); this.destroy(); })`;

isolated(import.meta.url, (place) => {
  describe('service rules in the kernel', () => {
    const nft = createNft(join(place.folder, 'nft'));
    const servers: ChildProcess[] = [];
    let loaded: Table | undefined;

    before(async () => {
      shell(`
        mkdir -p /run/netns
        ip link add skiff0 type bridge; ip addr add 10.42.0.1/24 dev skiff0; ip link set skiff0 up
        ip netns add outside; ip link add out0 type veth peer name eth0 netns outside
        ip addr add ${nodeIp}/24 dev out0; ip link set out0 up
        nsenter --net=/run/netns/outside sh -ec 'ip link set lo up; ip addr add ${outsideIp}/24 dev eth0; ip link set eth0 up; ip route add default via ${nodeIp}'
        ip route add default via ${outsideIp}
        echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
      `);
      podIps.forEach((ip, i) => {
        shell(`
          ip netns add pod${i}; ip link add v${i} type veth peer name eth0 netns pod${i}
          ip link set v${i} master skiff0 up; ip link set v${i} type bridge_slave hairpin on
          nsenter --net=/run/netns/pod${i} sh -ec 'ip link set lo up; ip addr add ${ip}/24 dev eth0; ip link set eth0 up; ip route add default via 10.42.0.1'
        `);
        servers.push(spawn('nsenter', [`--net=/run/netns/pod${i}`, process.execPath, '-e', server, ip], { stdio: 'ignore' }));
      });
      for (const ip of podIps) await eventually(`${ip} serves`, async () => (await ask('host', ip, 8080)).startsWith(ip));
    });
    after(() => {
      for (const child of servers) child.kill();
    });

    /** Loads whole the first time, changes afterwards: both ways are used all through. */
    const load = async (services: readonly ServicePort[], hostPorts: readonly HostPort[] = []): Promise<void> => {
      const next = planTable({ tableName: 'skiff', clusterCidr: '10.42.0.0/16', podCidr: '10.42.0.0/24', services, hostPorts });
      const script = loaded ? renderChanges(loaded, next) : renderTable(next);
      if (script) await nft.apply(script);
      loaded = next;
    };
    const backends = podIps.map((ip) => ({ ip, port: 8080, local: true }));
    const web = (overrides: Partial<ServicePort> = {}): ServicePort =>
      servicePort({ backends, externalBackends: backends, ...overrides });
    const answers = async (from: string, ip: string, port: number, times: number): Promise<string[]> => {
      const all: string[] = [];
      for (let i = 0; i < times; i++) all.push(await ask(from, ip, port));
      return all;
    };

    it('spreads a cluster address over its backends and keeps the address of the asking pod', async () => {
      await load([web()]);
      const seen = await answers('pod0', '10.43.0.5', 80, 20);
      assert.deepEqual([...new Set(seen.map((a) => a.split(' ')[0]))].sort(), [...podIps]);
      const other = seen.filter((a) => a.startsWith(podIps[1]));
      assert.ok(
        other.every((a) => a.endsWith(podIps[0])),
        other.join(),
      );
    });

    it('lets a pod reach itself through its service', async () => {
      await load([web({ backends: [backends[0]!] })]);
      assert.equal(await ask('pod0', '10.43.0.5', 80), `${podIps[0]} 10.42.0.1`);
    });

    it('answers the node itself', async () => {
      await load([web()]);
      assert.match(await ask('host', '10.43.0.5', 80), /^10\.42\.0\.[23] /);
    });

    it('answers on the node port from outside, from pods and from the node', async () => {
      await load([web({ nodePort: 30080 })]);
      for (const from of ['outside', 'pod0', 'host']) assert.match(await ask(from, nodeIp, 30080), /^10\.42\.0\.[23] /, from);
    });

    it('keeps the address of the client with the Local policy, and only local backends', async () => {
      await load([web({ nodePort: 30080, externalLocal: true, externalBackends: [backends[1]!] })]);
      assert.equal(await ask('outside', nodeIp, 30080), `${podIps[1]} ${outsideIp}`);
    });

    it('refuses at once what has no backend, and ports a service does not have', async () => {
      await load([
        web({ backends: [], externalBackends: [], nodePort: 30080 }),
        web({ id: 'default/other:x', clusterIp: '10.43.0.6' }),
      ]);
      for (const from of ['pod0', 'host']) {
        assert.equal(await ask(from, '10.43.0.5', 80), 'ECONNREFUSED', `no backend, from ${from}`);
        assert.equal(await ask(from, '10.43.0.6', 81), 'ECONNREFUSED', `no such port, from ${from}`);
      }
      assert.equal(await ask('outside', nodeIp, 30080), 'ECONNREFUSED');
    });

    it('sends a client to the same backend as long as its affinity lasts', async () => {
      await load([web({ affinitySeconds: 60 })]);
      assert.equal(new Set(await answers('pod1', '10.43.0.5', 80, 8)).size, 1);
    });

    it('lets only the allowed sources in on load-balancer addresses', async () => {
      await load([web({ externalIps: ['192.168.77.200'], sourceRanges: ['172.16.0.0/12'] })]);
      shell(`nsenter --net=/run/netns/outside ip route replace 192.168.77.200 via ${nodeIp}`);
      assert.doesNotMatch(await ask('outside', '192.168.77.200', 80), /^10\.42/);
      await load([web({ externalIps: ['192.168.77.200'], sourceRanges: ['192.168.77.0/24'] })]);
      assert.match(await ask('outside', '192.168.77.200', 80), /^10\.42\.0\.[23] /);
    });

    it('forwards host ports', async () => {
      await load([web()], [{ protocol: 'tcp', hostPort: 8088, hostIp: '', podIp: podIps[0], containerPort: 8080 }]);
      assert.match(await ask('outside', nodeIp, 8088), new RegExp(`^${podIps[0]} `));
    });

    it('shows the node to the outside instead of the pod', async () => {
      const listener = spawn('nsenter', ['--net=/run/netns/outside', process.execPath, '-e', server, 'outside'], {
        stdio: 'ignore',
      });
      servers.push(listener);
      await eventually('the outside serves', async () => (await ask('pod0', outsideIp, 8080)) === `outside ${nodeIp}`);
    });
  });
});

/** One connection from a network namespace; the answer, or the code of the error. */
function ask(from: string, ip: string, port: number): Promise<string> {
  const command = [process.execPath, '-e', client, ip, String(port)] as const;
  return from === 'host' ? run(command[0], command.slice(1)) : run('nsenter', [`--net=/run/netns/${from}`, ...command]);
}

function shell(script: string): void {
  execFileSync('sh', ['-ec', script], { stdio: ['ignore', 'ignore', 'inherit'] });
}
