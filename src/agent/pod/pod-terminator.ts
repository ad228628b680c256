import type { Container as ContainerSpec, Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Container, Runtime } from '../../runtime/runtime.ts';
import { isSidecar } from '../resources/qos.ts';
import type { ContainerEvent } from './container-starter.ts';
import { runHook } from './lifecycle-hooks.ts';
import type { PodState } from './pod-state.ts';

/** What a container is given at least after its preStop hook has used up the grace period. */
const minGraceSeconds = 2;

export interface TerminatorDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly event: ContainerEvent;
}

/**
 * Ends the containers of pods: preStop hook, SIGTERM, grace period, SIGKILL; sidecars after the containers they serve, in reverse order.
 * Rule: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination.
 */
export class PodTerminator {
  readonly #deps: TerminatorDeps;

  constructor(deps: TerminatorDeps) {
    this.#deps = deps;
  }

  /** Resolves when no container runs and the sandboxes are stopped. `state.shortenGrace` works meanwhile. */
  async stopPod(state: PodState, graceSeconds: number): Promise<void> {
    const { runtime, clock } = this.#deps;
    const running = state.observed.containers.filter((c) => c.state === 'running' || c.state === 'unknown');
    let deadlineMs = clock.now() + graceSeconds * 1000;
    let currentGrace = graceSeconds;
    state.shortenGrace = (seconds) => {
      if (seconds >= currentGrace) return;
      currentGrace = seconds;
      deadlineMs = Math.min(deadlineMs, clock.now() + seconds * 1000);
      // Only hurries the stop that is under way, whose failure is noticed and repeated.
      for (const container of running) void runtime.stopContainer(container.id, seconds).catch(() => {});
    };
    try {
      const sidecars = (state.pod.spec.initContainers ?? []).filter(isSidecar).map((c) => c.name);
      const stop = (container: Container): Promise<void> =>
        this.stopContainer(state, container, { graceSeconds: graceLeft(deadlineMs, clock.now(), graceSeconds), message: '' });
      await Promise.all(running.filter((c) => !sidecars.includes(c.name)).map(stop));
      for (const name of sidecars.reverse()) for (const container of running) if (container.name === name) await stop(container);
    } finally {
      state.shortenGrace = undefined;
    }
    for (const sandbox of state.observed.sandboxes) await runtime.stopSandbox(sandbox.id);
  }

  /** Ends one container; `message` is that of the Killing event. */
  async stopContainer(state: PodState, container: Container, options: { graceSeconds: number; message: string }): Promise<void> {
    const { runtime, clock, event } = this.#deps;
    const spec = specOf(state.pod, container.name);
    event(state.pod, spec, 'Normal', 'Killing', options.message || `Stopping container ${container.name}`);
    const startedAt = clock.now();
    let { graceSeconds } = options;
    const hook = spec?.lifecycle?.preStop;
    if (spec && hook && graceSeconds > 0 && container.state === 'running') {
      const host = state.observed.sandboxes.find((s) => s.id === container.sandboxId)?.ips[0] ?? '127.0.0.1';
      const limit = graceSeconds * 1000;
      try {
        await withDeadline(
          clock,
          runHook(this.#deps, hook, { container: spec, containerId: container.id, host, timeoutMs: limit }),
          limit,
        );
      } catch {
        event(state.pod, spec, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
      }
      graceSeconds = Math.max(minGraceSeconds, graceSeconds - Math.round((clock.now() - startedAt) / 1000));
    }
    await runtime.stopContainer(container.id, graceSeconds);
  }
}

function graceLeft(deadlineMs: number, nowMs: number, graceSeconds: number): number {
  if (graceSeconds === 0) return 0;
  return Math.max(Math.round((deadlineMs - nowMs) / 1000), Math.min(minGraceSeconds, graceSeconds));
}

function specOf(pod: Pod, name: string): ContainerSpec | undefined {
  return [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...((pod.spec.ephemeralContainers ?? []) as ContainerSpec[]),
  ].find((c) => c.name === name);
}

function withDeadline<T>(clock: Clock, work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new Error('the hook did not end within the grace period')));
    work.then(resolve, reject).finally(cancel);
  });
}
