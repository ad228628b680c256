import { join } from 'node:path';
import type { Container, Pod } from '../../api/generated/types.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { terminationLogPath } from '../volumes/container-mounts.ts';
import { podLogDirectory } from './names.ts';
import { type ObservedPod, observedPod } from './observed.ts';
import type { PodState } from './pod-state.ts';
import { terminationMessage } from './termination-message.ts';

/** Looks at the runtime for one pod, and remembers which pod a container or sandbox belongs to. */
export class PodObserver {
  readonly #runtime: Runtime;
  readonly #paths: { podsRoot: string; podLogsRoot: string };
  readonly #owner = new Map<string, string>();

  constructor(deps: { runtime: Runtime; podsRoot: string; podLogsRoot: string }) {
    this.#runtime = deps.runtime;
    this.#paths = deps;
  }

  /** The uid of the pod a container or sandbox belongs to, as far as it has been seen. */
  ownerOf(id: string): string | undefined {
    return this.#owner.get(id);
  }

  /** Brings `state.observed` up to date. */
  async observe(state: PodState): Promise<ObservedPod> {
    const sandboxes = (await this.#runtime.listSandboxes({ podUid: state.uid })).filter((s) => s.podUid === state.uid);
    const containers = (await Promise.all(sandboxes.map((s) => this.#runtime.listContainers({ sandboxId: s.id })))).flat();
    for (const id of this.#idsOf(state.observed)) this.#owner.delete(id);
    state.observed = observedPod(sandboxes, containers);
    for (const id of this.#idsOf(state.observed)) this.#owner.set(id, state.uid);
    await this.#readMessages(state);
    return state.observed;
  }

  forget(state: PodState): void {
    for (const id of this.#idsOf(state.observed)) this.#owner.delete(id);
  }

  #idsOf({ sandboxes, containers }: ObservedPod): string[] {
    return [...sandboxes.map((s) => s.id), ...containers.map((c) => c.id)];
  }

  async #readMessages(state: PodState): Promise<void> {
    const known = state.terminationMessages;
    for (const container of state.observed.containers) {
      if (container.state !== 'exited' || known.has(container.id)) continue;
      const logDirectory = podLogDirectory(this.#paths.podLogsRoot, state.pod);
      const message = await terminationMessage({
        spec: specOf(state.pod, container.name),
        exitCode: container.exitCode,
        messageFile: terminationLogPath(join(this.#paths.podsRoot, state.uid), container.name, container.attempt),
        logFile: join(logDirectory, container.name, `${container.attempt}.log`),
      });
      known.set(container.id, message);
    }
    const present = new Set(state.observed.containers.map((c) => c.id));
    for (const id of known.keys()) if (!present.has(id)) known.delete(id);
  }
}

/** The container of a pod with that name: init, regular or ephemeral. */
export function specOf(pod: Pod, name: string): Container | undefined {
  const all = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...((pod.spec.ephemeralContainers ?? []) as Container[]),
  ];
  return all.find((c) => c.name === name);
}
