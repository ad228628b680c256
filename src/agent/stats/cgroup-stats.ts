import { join } from 'node:path';
import { type CgroupLayout, readNumbers, readText } from '../cgroup/cgroup-files.ts';

/** What a control group has used. */
export interface CgroupUse {
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
  /** Memory that cannot be given back: what limits and eviction go by. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly processes: number;
}

/** Reads a group's files; undefined when there is no such group. `path` is as the runtime names it. */
export function readCgroupUse(layout: CgroupLayout, path: string): CgroupUse | undefined {
  return layout.version === 2 ? readV2(join(layout.mount, path)) : readV1(layout, path);
}

function readV2(directory: string): CgroupUse | undefined {
  const cpu = readNumbers(join(directory, 'cpu.stat'));
  if (cpu['usage_usec'] === undefined) return undefined;
  const stat = readNumbers(join(directory, 'memory.stat'));
  // The root group has no memory.current.
  const memoryBytes = Number(readText(join(directory, 'memory.current')) ?? (stat['anon'] ?? 0) + (stat['file'] ?? 0));
  return {
    cpuNanoseconds: cpu['usage_usec'] * 1000,
    memoryBytes,
    workingSetBytes: Math.max(0, memoryBytes - (stat['inactive_file'] ?? 0)),
    rssBytes: stat['anon'] ?? 0,
    processes: Number(readText(join(directory, 'pids.current')) ?? 0),
  };
}

function readV1({ hierarchies }: CgroupLayout, path: string): CgroupUse | undefined {
  const file = (controller: string, name: string): string => join(hierarchies.get(controller) ?? '/nonexistent', path, name);
  const cpu = readText(file('cpuacct', 'cpuacct.usage'));
  if (cpu === undefined) return undefined;
  const stat = readNumbers(file('memory', 'memory.stat'));
  const memoryBytes = Number(readText(file('memory', 'memory.usage_in_bytes')) ?? 0);
  return {
    cpuNanoseconds: Number(cpu),
    memoryBytes,
    workingSetBytes: Math.max(0, memoryBytes - (stat['total_inactive_file'] ?? 0)),
    rssBytes: stat['total_rss'] ?? 0,
    processes: Number(readText(file('pids', 'pids.current')) ?? 0),
  };
}
