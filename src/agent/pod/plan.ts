import type { Container as ContainerSpec, Pod } from '../../api/generated/types.ts';
import type { Container, Sandbox } from '../../runtime/runtime.ts';
import { isSidecar } from '../resources/qos.ts';
import { type BackoffEntry, backoffEndMs } from './crash-backoff.ts';
import { annotation, containerHash, podText } from './names.ts';
import { currentSandbox, latest, type ObservedPod } from './observed.ts';
import { initRestartsAfter, restartsAfter } from './restart-policy.ts';

export type ContainerRole = 'init' | 'app' | 'ephemeral';

export type Step =
  | { readonly do: 'stopSandbox'; readonly sandboxId: string }
  | { readonly do: 'createSandbox'; readonly attempt: number; readonly replaces: boolean }
  | { readonly do: 'kill'; readonly container: Container; readonly message: string; readonly probe?: 'liveness' | 'startup' }
  | { readonly do: 'start'; readonly spec: ContainerSpec; readonly role: ContainerRole; readonly attempt: number };

/** A container that has to wait before it is started again. */
export interface Wait {
  readonly name: string;
  readonly untilMs: number;
  readonly message: string;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  /** Nothing of the pod will ever be started again: what still runs (sidecars, the sandbox) is to be stopped. */
  readonly finished: boolean;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly observed: ObservedPod;
  readonly nowMs: number;
  readonly backoff: (name: string) => BackoffEntry | undefined;
  /** Restart counts known to the API, for containers the runtime has forgotten. */
  readonly restartCount: (name: string) => number | undefined;
  readonly health: Health;
}

export interface Health {
  /** Startup probe passed (or there is none) and the postStart hook has ended. */
  started(containerId: string): boolean;
  /** The probe that demands the container's end. */
  failed(containerId: string): 'liveness' | 'startup' | undefined;
}

/**
 * What has to be done next for a pod that is to run. Pure; the caller applies the steps and plans again after every change.
 * Rule: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, init-containers, sidecar-containers.
 */
export function plan(input: PlanInput): Plan {
  const sandbox = currentSandbox(input.observed);
  const planner = new Planner(input, sandbox);
  return sandboxChanged(input, sandbox) ? planner.newSandbox() : planner.containersOf(sandbox!);
}

function sandboxChanged({ pod, observed }: PlanInput, sandbox: Sandbox | undefined): boolean {
  if (!sandbox) return true;
  if (observed.sandboxes.filter((s) => s.ready).length > 1) return true;
  return !pod.spec.hostNetwork && sandbox.ips.length === 0;
}

class Planner {
  readonly #input: PlanInput;
  readonly #sandbox: Sandbox | undefined;
  readonly #steps: Step[] = [];
  readonly #waits: Wait[] = [];

  constructor(input: PlanInput, sandbox: Sandbox | undefined) {
    this.#input = input;
    this.#sandbox = sandbox;
  }

  newSandbox(): Plan {
    const { observed } = this.#input;
    if (this.#isOver()) return this.#plan(true);
    for (const old of observed.sandboxes) if (old.ready) this.#steps.push({ do: 'stopSandbox', sandboxId: old.id });
    const attempt = (observed.sandboxes[0]?.attempt ?? -1) + 1;
    this.#steps.push({ do: 'createSandbox', attempt, replaces: attempt > 0 });
    // Containers are planned again when the sandbox is there: their environment may hold its address.
    return this.#plan(false);
  }

  containersOf(sandbox: Sandbox): Plan {
    const { pod } = this.#input;
    for (const spec of pod.spec.ephemeralContainers ?? []) {
      if (!this.#seen(spec.name)) this.#steps.push({ do: 'start', spec, role: 'ephemeral', attempt: 0 });
    }
    const initialized = pod.spec.containers.some((c) => latest(this.#input.observed, c.name, sandbox.id) !== undefined);
    const init = this.#initContainers(initialized);
    if (init === 'failed') return this.#plan(true);
    if (init === 'waiting') return this.#plan(false);
    let alive = 0;
    for (const spec of pod.spec.containers) if (this.#appContainer(spec)) alive++;
    return this.#plan(alive === 0);
  }

  /** Before the containers run: one init container after the other. Afterwards only sidecars are kept alive. */
  #initContainers(initialized: boolean): 'done' | 'waiting' | 'failed' {
    for (const spec of this.#input.pod.spec.initContainers ?? []) {
      if (isSidecar(spec)) {
        const running = this.#keepAlive(spec, 'init', true);
        const container = this.#current(spec.name);
        const started = running && container?.state === 'running' && this.#input.health.started(container.id);
        if (!initialized && !started) return 'waiting';
      } else if (!initialized) {
        const state = this.#initContainer(spec);
        if (state !== 'done') return state;
      }
    }
    return 'done';
  }

  #initContainer(spec: ContainerSpec): 'done' | 'waiting' | 'failed' {
    const container = this.#current(spec.name);
    if (container?.state === 'exited') {
      if (container.exitCode === 0) return 'done';
      if (!initRestartsAfter(this.#input.pod, spec, container.exitCode)) return 'failed';
      this.#startAfterBackoff(spec, 'init', container);
    } else if (container?.state === 'running') this.#killUnhealthy(container, spec, 'Init container');
    else this.#startAnew(spec, 'init', container);
    return 'waiting';
  }

  /** True when the container runs or will. */
  #appContainer(spec: ContainerSpec): boolean {
    const container = this.#current(spec.name);
    // One that ended well in a sandbox of the past is not run again just because the sandbox is new.
    const last = container ?? latest(this.#input.observed, spec.name);
    if (last?.state === 'exited' && !restartsAfter(this.#input.pod, spec, last.exitCode)) return false;
    return this.#keepAlive(spec, 'app', restartsAfter(this.#input.pod, spec, 137));
  }

  #keepAlive(spec: ContainerSpec, role: ContainerRole, restartable: boolean): boolean {
    const container = this.#current(spec.name);
    if (!container || container.state === 'created' || container.state === 'unknown') this.#startAnew(spec, role, container);
    else if (container.state === 'exited') this.#startAfterBackoff(spec, role, container);
    else if (
      container.annotations[annotation.hash] !== undefined &&
      container.annotations[annotation.hash] !== containerHash(spec)
    ) {
      this.#steps.push({ do: 'kill', container, message: `Container ${spec.name} definition changed, will be restarted` });
    } else return this.#killUnhealthy(container, spec, 'Container', restartable) || true;
    return true;
  }

  #killUnhealthy(container: Container, spec: ContainerSpec, what: string, restartable = true): boolean {
    const probe = this.#input.health.failed(container.id);
    if (!probe) return false;
    const text = `${what} ${spec.name} failed ${probe} probe`;
    this.#steps.push({ do: 'kill', container, probe, message: restartable ? `${text}, will be restarted` : text });
    return true;
  }

  /** Starts a container that has not run; one whose start never came to an end is removed from the way first. */
  #startAnew(spec: ContainerSpec, role: ContainerRole, broken: Container | undefined): void {
    if (broken?.state === 'unknown')
      this.#steps.push({
        do: 'kill',
        container: broken,
        message: `Container is in "unknown" state, try killing it before restart`,
      });
    this.#steps.push({ do: 'start', spec, role, attempt: this.#nextAttempt(spec.name) });
  }

  #startAfterBackoff(spec: ContainerSpec, role: ContainerRole, ended: Container): void {
    const { pod, backoff, nowMs } = this.#input;
    const entry = backoff(spec.name);
    const untilMs = backoffEndMs(entry, ended.finishedAtMs || ended.createdAtMs);
    if (entry && untilMs > nowMs) {
      const message = `back-off ${duration(entry.delayMs)} restarting failed container=${spec.name} pod=${podText(pod)}`;
      this.#waits.push({ name: spec.name, untilMs, message });
    } else this.#steps.push({ do: 'start', spec, role, attempt: this.#nextAttempt(spec.name) });
  }

  /** Without a sandbox: has the pod already run to its end? */
  #isOver(): boolean {
    const { pod, observed } = this.#input;
    for (const spec of pod.spec.initContainers ?? []) {
      const ended = latest(observed, spec.name);
      if (!isSidecar(spec) && ended?.state === 'exited' && ended.exitCode !== 0 && !initRestartsAfter(pod, spec, ended.exitCode))
        return true;
    }
    return pod.spec.containers.every((spec) => {
      const ended = latest(observed, spec.name);
      return ended?.state === 'exited' && !restartsAfter(pod, spec, ended.exitCode);
    });
  }

  #seen(name: string): boolean {
    return latest(this.#input.observed, name) !== undefined;
  }

  #current(name: string): Container | undefined {
    return latest(this.#input.observed, name, this.#sandbox?.id);
  }

  #nextAttempt(name: string): number {
    const last = latest(this.#input.observed, name);
    // A container that was created but never started does not count as a restart, yet its name is taken.
    if (last) return last.attempt + 1;
    const known = this.#input.restartCount(name);
    return known === undefined ? 0 : known + 1;
  }

  #plan(finished: boolean): Plan {
    return { steps: this.#steps, waits: this.#waits, finished };
  }
}

/** `10s`, `2m40s`: Go's way of writing durations. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
