import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';
import type { Logger } from '../../lib/log.ts';
import { type PodLimits, podLimits } from '../resources/pod-resources.ts';
import { qosClass } from '../resources/qos.ts';
import { type CgroupLayout, readText } from './cgroup-files.ts';

/** Attempts to empty a cgroup whose processes fork while they are killed. */
const killRounds = 10;

/** The cgroups of pods: the agent makes them with their limits before the runtime puts containers in, and removes them afterwards. */
export interface PodCgroups {
  /** The pod's cgroup as the runtime names it, below the mount. */
  pathOf(pod: Pod): string;
  /** Creates it, or brings its limits up to date. */
  ensure(pod: Pod): void;
  /** Kills what is left in it and removes it. Does nothing when there is none. */
  remove(podUid: string): void;
  /** Uids of the pods that have one. */
  list(): string[];
}

const classes = ['', 'burstable', 'besteffort'] as const;

export class FilePodCgroups implements PodCgroups {
  readonly #layout: CgroupLayout;
  readonly #root: string;
  readonly #log: Logger;

  /** `root` is the cgroup all pods are below, e.g. `/kubepods`. */
  constructor(deps: { layout: CgroupLayout; root: string; log: Logger }) {
    this.#layout = deps.layout;
    this.#root = deps.root;
    this.#log = deps.log;
  }

  pathOf(pod: Pod): string {
    const qos = qosClass(pod);
    const parent = qos === 'Guaranteed' ? this.#root : join(this.#root, qos.toLowerCase());
    return join(parent, `pod${pod.metadata.uid}`);
  }

  ensure(pod: Pod): void {
    const path = this.pathOf(pod);
    if (this.#layout.version === 2) this.#ensureV2(path, podLimits(pod));
    else this.#ensureV1(path, podLimits(pod));
  }

  remove(podUid: string): void {
    for (const base of this.#bases())
      for (const qos of classes) {
        const directory = join(base, this.#root, qos, `pod${podUid}`);
        if (!existsSync(directory)) continue;
        killAll(directory);
        removeTree(directory);
      }
  }

  list(): string[] {
    const base =
      this.#layout.version === 2
        ? this.#layout.mount
        : (this.#layout.hierarchies.get('memory') ?? this.#layout.hierarchies.get('cpu'));
    if (!base) return [];
    return classes.flatMap((qos) => {
      const parent = join(base, this.#root, qos);
      if (!existsSync(parent)) return [];
      return readdirSync(parent)
        .filter((name) => name.startsWith('pod'))
        .map((name) => name.slice(3));
    });
  }

  #bases(): string[] {
    return this.#layout.version === 2 ? [this.#layout.mount] : [...new Set(this.#layout.hierarchies.values())];
  }

  #ensureV2(path: string, limits: PodLimits): void {
    let current = this.#layout.mount;
    for (const part of path.split('/').filter(Boolean)) {
      // A controller is available below only when every level above hands it down.
      const controllers = (readText(join(current, 'cgroup.controllers')) ?? '').split(/\s+/);
      for (const name of ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb'])
        if (controllers.includes(name)) this.#write(join(current, 'cgroup.subtree_control'), `+${name}`);
      current = join(current, part);
      mkdirSync(current, { recursive: true });
    }
    this.#write(join(current, 'cpu.weight'), String(1 + Math.floor(((limits.cpuShares - 2) * 9999) / 262_142)));
    this.#write(join(current, 'cpu.max'), limits.cpuQuota === undefined ? 'max' : `${limits.cpuQuota} ${limits.cpuPeriod}`);
    this.#write(join(current, 'memory.max'), limits.memoryBytes === undefined ? 'max' : String(limits.memoryBytes));
  }

  #ensureV1(path: string, limits: PodLimits): void {
    for (const [controller, base] of this.#layout.hierarchies) {
      mkdirSync(join(base, path), { recursive: true });
      if (controller === 'cpuset') this.#inheritCpuset(base, path);
    }
    const write = (controller: string, file: string, value: number): void => {
      const base = this.#layout.hierarchies.get(controller);
      if (base) this.#write(join(base, path, file), String(value));
    };
    write('cpu', 'cpu.shares', limits.cpuShares);
    if (limits.cpuPeriod !== undefined) write('cpu', 'cpu.cfs_period_us', limits.cpuPeriod);
    write('cpu', 'cpu.cfs_quota_us', limits.cpuQuota ?? -1);
    write('memory', 'memory.limit_in_bytes', limits.memoryBytes ?? -1);
  }

  /** A new cpuset of version 1 has neither processors nor memory nodes, and no process can enter it. */
  #inheritCpuset(base: string, path: string): void {
    let current = base;
    for (const part of path.split('/').filter(Boolean)) {
      const parent = current;
      current = join(current, part);
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        if (!readText(join(current, file))) this.#write(join(current, file), readText(join(parent, file)) ?? '');
    }
  }

  #write(path: string, value: string): void {
    try {
      writeFileSync(path, value);
    } catch (error) {
      this.#log.debug('a cgroup file could not be written', { path, value, error });
    }
  }
}

function killAll(directory: string): void {
  const kill = join(directory, 'cgroup.kill');
  if (existsSync(kill)) {
    writeFileSync(kill, '1');
    return;
  }
  for (let round = 0; round < killRounds; round++) {
    const pids = processesBelow(directory);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended in between.
      }
    }
  }
}

function processesBelow(directory: string): number[] {
  const own = (readText(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number);
  return [...own, ...subdirectories(directory).flatMap(processesBelow)];
}

function removeTree(directory: string): void {
  for (const child of subdirectories(directory)) removeTree(child);
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Killed processes may take a moment to leave: the next clean-up finds the rest.
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((e) => e.isDirectory())
      .map((e) => join(directory, e.name));
  } catch {
    return [];
  }
}
