import type { Container } from '../../runtime/runtime.ts';
import { podLogDirectory } from '../pod/names.ts';
import { currentSandbox } from '../pod/observed.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import { specOf } from '../pod/pod-observer.ts';
import type { PodState } from '../pod/pod-state.ts';
import { logFile } from './log-rotation.ts';

/** An answer other than 200. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ContainerAddress {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** Finds what requests name; failures carry upstream's texts. */
export class PodAccess {
  readonly #pods: PodManager;
  readonly #podLogsRoot: string;

  constructor(deps: { pods: PodManager; podLogsRoot: string }) {
    this.#pods = deps.pods;
    this.#podLogsRoot = deps.podLogsRoot;
  }

  pod(namespace: string, name: string): PodState {
    const state = this.#pods.find(namespace, name);
    if (!state) throw new HttpProblem(404, `pod does not exist`);
    return state;
  }

  /** The running container of that name. */
  running({ namespace, pod, container }: ContainerAddress): Container {
    const found = this.pod(namespace, pod).observed.containers.find((c) => c.name === container && c.state === 'running');
    if (!found) throw new HttpProblem(404, `container not found ("${container}")`);
    return found;
  }

  sandboxId(namespace: string, name: string): string {
    const sandbox = currentSandbox(this.pod(namespace, name).observed);
    if (!sandbox) throw new HttpProblem(404, `pod not found ("${name}_${namespace}")`);
    return sandbox.id;
  }

  /** The container whose log is asked for, and where the log is. */
  log({ namespace, pod, container }: ContainerAddress, previous: boolean): { container: Container; path: string } {
    const state = this.pod(namespace, pod);
    if (!specOf(state.pod, container)) throw new HttpProblem(400, `container ${container} is not valid for pod ${pod}`);
    const own = state.observed.containers.filter((c) => c.name === container && c.state !== 'created');
    // A container that waits to be restarted has nothing after its end: that end is the previous one.
    const ended = own.slice(state.waiting.has(container) ? 0 : 1).find((c) => c.state === 'exited');
    const wanted = previous ? ended : own[0];
    if (!wanted && previous) throw new HttpProblem(400, `previous terminated container "${container}" in pod "${pod}" not found`);
    if (!wanted) {
      const reason = state.waiting.get(container)?.reason ?? 'ContainerCreating';
      throw new HttpProblem(400, `container "${container}" in pod "${pod}" is waiting to start: ${reason}`);
    }
    return { container: wanted, path: logFile(podLogDirectory(this.#podLogsRoot, state.pod), wanted) };
  }

  isRunning(containerId: string): boolean {
    return this.#pods.states().some((s) => s.observed.containers.some((c) => c.id === containerId && c.state === 'running'));
  }

  onEnd(containerId: string, callback: () => void): () => void {
    return this.#pods.onContainerEnd(containerId, callback);
  }
}
