import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The layout of the control groups of this machine. */
export interface CgroupLayout {
  readonly version: 1 | 2;
  /** Where they are mounted, usually /sys/fs/cgroup. */
  readonly mount: string;
  /** Version 1: the directory of each controller's hierarchy that exists. */
  readonly hierarchies: ReadonlyMap<string, string>;
}

const v1Controllers = [
  'cpu',
  'cpuacct',
  'memory',
  'pids',
  'cpuset',
  'blkio',
  'devices',
  'freezer',
  'hugetlb',
  'systemd',
  'unified',
  'net_cls',
  'perf_event',
  'rdma',
  'misc',
];
/** Controllers that distributions mount together. */
const v1Joined: Readonly<Record<string, string>> = { cpu: 'cpu,cpuacct', cpuacct: 'cpu,cpuacct', net_cls: 'net_cls,net_prio' };

export function cgroupLayout(mount: string): CgroupLayout {
  if (existsSync(join(mount, 'cgroup.controllers'))) return { version: 2, mount, hierarchies: new Map() };
  const hierarchies = new Map<string, string>();
  for (const controller of v1Controllers) {
    const directory = [controller, v1Joined[controller]].find((d) => d !== undefined && existsSync(join(mount, d)));
    if (directory) hierarchies.set(controller, join(mount, directory));
  }
  return { version: 1, mount, hierarchies };
}

/** Without the memory controller no limit is enforced and no use is known: the node is not ready. */
export function hasMemoryController(layout: CgroupLayout): boolean {
  if (layout.version === 1) return layout.hierarchies.has('memory');
  return (readText(join(layout.mount, 'cgroup.controllers')) ?? '').split(/\s+/).includes('memory');
}

/** The text of a small kernel file, undefined when it is not there. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Lines of `name number`. */
export function readNumbers(path: string): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const line of (readText(path) ?? '').split('\n')) {
    const [name, value] = line.split(' ');
    if (name && value !== undefined) numbers[name] = Number(value);
  }
  return numbers;
}
