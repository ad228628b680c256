import type { Container, Pod, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Runtime, Container as RuntimeContainer } from '../../runtime/runtime.ts';
import { type ProbeKind, Prober } from './prober.ts';

const kinds = ['startup', 'liveness', 'readiness'] as const;

/** What is known of the health of one running container. */
interface Health {
  readonly podUid: string;
  started: boolean;
  ready: boolean;
  failed: 'liveness' | 'startup' | undefined;
  readonly probers: Prober[];
}

export interface ProbeManagerDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random?: () => number;
  /** Something a pod's status or plan depends on has changed. */
  readonly onChange: (podUid: string) => void;
  readonly onUnhealthy: (pod: Pod, container: Container, message: string) => void;
}

export interface Watched {
  readonly pod: Pod;
  readonly spec: Container;
  readonly container: RuntimeContainer;
  readonly host: string;
  /** The container ran before this agent did, and was ready: it stays so until a probe says otherwise. */
  readonly wasReady: boolean;
}

const probeOf = (spec: Container, kind: ProbeKind): Probe | undefined =>
  ({ startup: spec.startupProbe, liveness: spec.livenessProbe, readiness: spec.readinessProbe })[kind];

const title = (kind: ProbeKind): string => kind.charAt(0).toUpperCase() + kind.slice(1);

/** The probes of all running containers. Timers exist only for probes that pods configured. */
export class ProbeManager {
  readonly #deps: ProbeManagerDeps;
  readonly #health = new Map<string, Health>();
  readonly #hosts = new Map<string, string>();

  constructor(deps: ProbeManagerDeps) {
    this.#deps = deps;
  }

  /** Begins to watch a running container; does nothing when it is watched already. */
  watch(watched: Watched): void {
    const { pod, spec, container } = watched;
    this.#hosts.set(pod.metadata.uid, watched.host);
    if (this.#health.has(container.id)) return;
    const health: Health = {
      podUid: pod.metadata.uid,
      started: !spec.startupProbe || watched.wasReady,
      ready: !spec.readinessProbe || watched.wasReady,
      failed: undefined,
      probers: [],
    };
    this.#health.set(container.id, health);
    for (const kind of kinds) {
      const probe = probeOf(spec, kind);
      if (probe && !(kind === 'startup' && health.started)) this.#startProber(kind, probe, { watched, health });
    }
  }

  /** Ends the probes of containers of the pod that are not in `running`. */
  retain(podUid: string, running: ReadonlySet<string>): void {
    for (const [id, health] of this.#health) if (health.podUid === podUid && !running.has(id)) this.#drop(id, health);
    if (running.size === 0) this.#hosts.delete(podUid);
  }

  /** A pod that is going down is no longer judged by liveness and startup; readiness goes on. */
  terminating(podUid: string): void {
    for (const health of this.#health.values())
      if (health.podUid === podUid) for (const prober of health.probers) if (prober.options.kind !== 'readiness') prober.stop();
  }

  started(containerId: string): boolean {
    return this.#health.get(containerId)?.started ?? false;
  }

  ready(containerId: string): boolean {
    return this.#health.get(containerId)?.ready ?? false;
  }

  failed(containerId: string): 'liveness' | 'startup' | undefined {
    return this.#health.get(containerId)?.failed;
  }

  stop(): void {
    for (const [id, health] of this.#health) this.#drop(id, health);
  }

  /** Numbers for the metrics page. */
  get size(): number {
    return [...this.#health.values()].reduce((sum, h) => sum + h.probers.length, 0);
  }

  #startProber(kind: ProbeKind, probe: Probe, { watched, health }: { watched: Watched; health: Health }): void {
    const { pod, spec, container } = watched;
    const prober = new Prober(this.#deps, {
      kind,
      probe,
      container: spec,
      containerId: container.id,
      startedAtMs: container.startedAtMs,
      host: () => this.#hosts.get(pod.metadata.uid) ?? watched.host,
      enabled: () => kind === 'startup' || health.started,
      initially: kind === 'liveness' || (kind === 'readiness' && watched.wasReady),
      onResult: (ok) => this.#result(kind, ok, health),
      onFailure: (output) => this.#deps.onUnhealthy(pod, spec, `${title(kind)} probe failed: ${output}`),
    });
    health.probers.push(prober);
    const spread = watched.wasReady ? (this.#deps.random ?? Math.random)() * (probe.periodSeconds ?? 10) * 1000 : 0;
    prober.start(spread);
  }

  #result(kind: ProbeKind, ok: boolean, health: Health): void {
    if (kind === 'readiness') health.ready = ok;
    else if (!ok) health.failed = kind;
    else if (kind === 'startup') {
      health.started = true;
      for (const prober of health.probers) prober.hurry();
    }
    this.#deps.onChange(health.podUid);
  }

  #drop(id: string, health: Health): void {
    for (const prober of health.probers) prober.stop();
    this.#health.delete(id);
  }
}
