import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { arch, availableParallelism, hostname, release } from 'node:os';
import { join } from 'node:path';
import { readText } from '../cgroup/cgroup-files.ts';

/** What does not change while the machine runs. */
export interface HostFacts {
  readonly hostname: string;
  /** As Kubernetes writes it: amd64, arm64, arm. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
}

/** What is looked at with every heartbeat. */
export interface HostLoad {
  readonly memoryAvailableBytes: number;
  readonly diskCapacityBytes: number;
  readonly diskAvailableBytes: number;
  readonly processes: number;
  readonly maxProcesses: number;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Reads /proc, /etc and /sys; no process is started. `root` is / except in tests. */
export function readHostFacts(root = '/'): HostFacts {
  const text = (path: string): string => readText(join(root, path)) ?? '';
  const memory = memoryInfo(text('proc/meminfo'));
  const machineId = text('etc/machine-id') || text('var/lib/dbus/machine-id');
  return {
    hostname: hostname().toLowerCase(),
    architecture: architectures[arch()] ?? arch(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text('etc/os-release'))?.[1] ?? 'Linux',
    machineId,
    systemUuid: text('sys/class/dmi/id/product_uuid') || machineId,
    bootId: text('proc/sys/kernel/random/boot_id'),
    cpus: availableParallelism(),
    memoryBytes: memory['MemTotal'] ?? 0,
    swapBytes: memory['SwapTotal'] ?? 0,
  };
}

/** `dataDirectory` stands for the disk that fills up. */
export async function readHostLoad(dataDirectory: string, root = '/'): Promise<HostLoad> {
  const text = (path: string): string => readText(join(root, path)) ?? '';
  const disk = await statfs(dataDirectory);
  // The fourth field of loadavg is `running/all`.
  const processes = Number(text('proc/loadavg').split(' ')[3]?.split('/')[1] ?? 0);
  return {
    memoryAvailableBytes: memoryInfo(text('proc/meminfo'))['MemAvailable'] ?? 0,
    diskCapacityBytes: disk.blocks * disk.bsize,
    diskAvailableBytes: disk.bavail * disk.bsize,
    processes,
    maxProcesses: Number(text('proc/sys/kernel/pid_max') || 32_768),
  };
}

/** Bytes by name. */
function memoryInfo(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries([...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map((m) => [m[1]!, Number(m[2]) * 1024]));
}

/** The address this machine uses towards `server`. No packet is sent. Undefined without a route. */
export function addressTowards(server: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(server.host) === 6 ? 'udp6' : 'udp4');
    const done = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => done(undefined));
    socket.connect(server.port, server.host, () => done(socket.address().address));
  });
}

/** The node's resolv.conf with real servers: systemd-resolved's own file when /etc/resolv.conf only names its stub. */
export function resolvConfPath(root = '/'): string {
  const standard = join(root, 'etc/resolv.conf');
  const behindStub = join(root, 'run/systemd/resolve/resolv.conf');
  const isStub = /^nameserver\s+127\.0\.0\.53\s*$/m.test(readText(standard) ?? '');
  return isStub && existsSync(behindStub) ? behindStub : standard;
}
