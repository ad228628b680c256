import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { CgroupLayout } from '../cgroup/cgroup-files.ts';
import type { PodCgroups } from '../cgroup/pod-cgroups.ts';
import type { HostLoad } from '../node/host-facts.ts';
import type { PodState } from '../pod/pod-state.ts';
import { type CgroupUse, readCgroupUse } from './cgroup-stats.ts';

export interface StatsDeps {
  readonly clock: Clock;
  readonly layout: CgroupLayout;
  readonly cgroups: PodCgroups;
  readonly nodeName: string;
  readonly memoryBytes: number;
  readonly pods: () => readonly PodState[];
  readonly hostLoad: () => Promise<HostLoad>;
}

export interface Page {
  readonly type: string;
  readonly body: string;
}

interface PodUse {
  readonly state: PodState;
  readonly use: CgroupUse;
  readonly containers: readonly { readonly name: string; readonly startedAtMs: number; readonly use: CgroupUse }[];
}

interface Sample {
  readonly atMs: number;
  readonly cpuNanoseconds: number;
}

/** Rates are the difference of two looks; older ones than this are not compared with. */
const maxSampleAgeMs = 5 * 60_000;

/** `/stats/summary` and `/metrics/resource`, read from control-group files when somebody asks. */
export class StatsPages {
  readonly #deps: StatsDeps;
  readonly #samples = new Map<string, Sample>();

  constructor(deps: StatsDeps) {
    this.#deps = deps;
  }

  /** Kubernetes' stats/v1alpha1 Summary. */
  async summary(): Promise<Page> {
    const { clock, nodeName, layout, memoryBytes } = this.#deps;
    const time = new Date(clock.now()).toISOString();
    const load = await this.#deps.hostLoad();
    const node = readCgroupUse(layout, '/');
    const body = {
      node: {
        nodeName,
        ...(node ? { cpu: this.#cpu('node', node, time) } : {}),
        memory: {
          time,
          availableBytes: load.memoryAvailableBytes,
          usageBytes: memoryBytes - load.memoryAvailableBytes,
          workingSetBytes: memoryBytes - load.memoryAvailableBytes,
        },
        fs: disk(load, time),
        rlimit: { time, maxpid: load.maxProcesses, curproc: load.processes },
      },
      pods: this.#podUses().map(({ state, use, containers }) => ({
        podRef: { name: state.pod.metadata.name, namespace: state.pod.metadata.namespace, uid: state.uid },
        startTime: state.reported?.startTime,
        containers: containers.map((c) => ({
          name: c.name,
          startTime: new Date(c.startedAtMs).toISOString(),
          cpu: this.#cpu(`${state.uid}/${c.name}`, c.use, time),
          memory: memory(c.use, time),
        })),
        cpu: this.#cpu(state.uid, use, time),
        memory: memory(use, time),
        process_stats: { process_count: use.processes },
      })),
    };
    this.#forgetOld();
    return { type: 'application/json', body: JSON.stringify(body) };
  }

  /** Prometheus text; what metrics-server reads. */
  async resourceMetrics(): Promise<Page> {
    const lines: string[] = [];
    const nowMs = this.#deps.clock.now();
    const metric = (name: string, type: string, samples: readonly string[]): void => {
      if (samples.length > 0) lines.push(`# TYPE ${name} ${type}`, ...samples.map((s) => `${name}${s} ${nowMs}`));
    };
    const pods = this.#podUses();
    const ofPod = ({ state }: PodUse): string => `namespace="${state.pod.metadata.namespace}",pod="${state.pod.metadata.name}"`;
    const containers = pods.flatMap((p) => p.containers.map((c) => ({ ...c, labels: `{container="${c.name}",${ofPod(p)}}` })));
    const load = await this.#deps.hostLoad();
    const node = readCgroupUse(this.#deps.layout, '/');
    metric(
      'container_cpu_usage_seconds_total',
      'counter',
      containers.map((c) => `${c.labels} ${c.use.cpuNanoseconds / 1e9}`),
    );
    metric(
      'container_memory_working_set_bytes',
      'gauge',
      containers.map((c) => `${c.labels} ${c.use.workingSetBytes}`),
    );
    metric(
      'container_start_time_seconds',
      'gauge',
      containers.map((c) => `${c.labels} ${c.startedAtMs / 1000}`),
    );
    if (node) metric('node_cpu_usage_seconds_total', 'counter', [` ${node.cpuNanoseconds / 1e9}`]);
    metric('node_memory_working_set_bytes', 'gauge', [` ${this.#deps.memoryBytes - load.memoryAvailableBytes}`]);
    metric(
      'pod_cpu_usage_seconds_total',
      'counter',
      pods.map((p) => `{${ofPod(p)}} ${p.use.cpuNanoseconds / 1e9}`),
    );
    metric(
      'pod_memory_working_set_bytes',
      'gauge',
      pods.map((p) => `{${ofPod(p)}} ${p.use.workingSetBytes}`),
    );
    lines.push('# TYPE resource_scrape_error gauge', 'resource_scrape_error 0');
    return { type: 'text/plain; version=0.0.4', body: `${lines.join('\n')}\n` };
  }

  #podUses(): PodUse[] {
    const { layout, cgroups } = this.#deps;
    return this.#deps.pods().flatMap((state) => {
      const path = cgroups.pathOf(state.pod);
      const use = readCgroupUse(layout, path);
      if (!use) return [];
      const containers = state.observed.containers
        .filter((c) => c.state === 'running')
        .flatMap((c) => {
          const own = readCgroupUse(layout, join(path, c.id));
          return own ? [{ name: c.name, startedAtMs: c.startedAtMs, use: own }] : [];
        });
      return [{ state, use, containers }];
    });
  }

  #cpu(key: string, { cpuNanoseconds }: CgroupUse, time: string): Record<string, unknown> {
    const atMs = this.#deps.clock.now();
    const before = this.#samples.get(key);
    this.#samples.set(key, { atMs, cpuNanoseconds });
    const elapsedMs = before ? atMs - before.atMs : 0;
    const rate = before && elapsedMs > 0 ? Math.round(((cpuNanoseconds - before.cpuNanoseconds) / elapsedMs) * 1000) : undefined;
    return { time, ...(rate === undefined ? {} : { usageNanoCores: Math.max(0, rate) }), usageCoreNanoSeconds: cpuNanoseconds };
  }

  #forgetOld(): void {
    const oldest = this.#deps.clock.now() - maxSampleAgeMs;
    for (const [key, sample] of this.#samples) if (sample.atMs < oldest) this.#samples.delete(key);
  }
}

const memory = (use: CgroupUse, time: string): Record<string, unknown> => ({
  time,
  usageBytes: use.memoryBytes,
  workingSetBytes: use.workingSetBytes,
  rssBytes: use.rssBytes,
});

const disk = (load: HostLoad, time: string): Record<string, unknown> => ({
  time,
  availableBytes: load.diskAvailableBytes,
  capacityBytes: load.diskCapacityBytes,
  usedBytes: load.diskCapacityBytes - load.diskAvailableBytes,
});
