import { isDeepStrictEqual } from 'node:util';
import type { Container as ContainerSpec, ResourceRequirements } from '../../api/generated/types.ts';
import type { Container, Runtime } from '../../runtime/runtime.ts';
import type { PodCgroups } from '../cgroup/pod-cgroups.ts';
import { containerResources } from '../resources/pod-resources.ts';
import type { PodState } from './pod-state.ts';
import type { PodTerminator } from './pod-terminator.ts';

export interface ResizerDeps {
  readonly runtime: Runtime;
  readonly cgroups: PodCgroups;
  readonly terminator: PodTerminator;
  readonly node: { readonly memoryBytes: number; readonly cgroupVersion: 1 | 2 };
}

/**
 * Gives running containers the resources their pod has come to ask for, without a restart unless their resizePolicy wants one.
 * Rule: kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources.
 */
export class ContainerResizer {
  readonly #deps: ResizerDeps;

  constructor(deps: ResizerDeps) {
    this.#deps = deps;
  }

  /** Returns whether a container was stopped for it, so that the pod has to be looked at again. */
  async resize(state: PodState): Promise<boolean> {
    const changed = this.#changed(state);
    if (changed.length === 0) return false;
    const inPlace = changed.filter(({ spec, before }) => !needsRestart(spec, before));
    for (const { container, spec } of changed) {
      if (inPlace.some((c) => c.container === container)) continue;
      const message = `Container ${spec.name} resize requires restart`;
      await this.#deps.terminator.stopContainer(state, container, { graceSeconds: state.graceSeconds, message });
    }
    // A group may not be given more than the one above has, nor the other way round: the pod's is set before and after.
    this.#deps.cgroups.ensure(state.pod);
    for (const { container, spec } of inPlace) {
      await this.#deps.runtime.updateContainerResources(container.id, containerResources(state.pod, spec, this.#deps.node));
      state.resources.set(container.id, spec.resources ?? {});
    }
    this.#deps.cgroups.ensure(state.pod);
    return inPlace.length < changed.length;
  }

  #changed(state: PodState): { container: Container; spec: ContainerSpec; before: ResourceRequirements }[] {
    const found = [];
    const running = new Set<string>();
    for (const container of state.observed.containers) {
      if (container.state !== 'running') continue;
      running.add(container.id);
      const spec = [...state.pod.spec.containers, ...(state.pod.spec.initContainers ?? [])].find(
        (c) => c.name === container.name,
      );
      if (!spec) continue;
      const before = state.resources.get(container.id) ?? reported(state, container) ?? spec.resources ?? {};
      state.resources.set(container.id, before);
      if (!isDeepStrictEqual(before, spec.resources ?? {})) found.push({ container, spec, before });
    }
    for (const id of state.resources.keys()) if (!running.has(id)) state.resources.delete(id);
    return found;
  }
}

/** What an earlier agent has told of a container it started. */
function reported(state: PodState, container: Container): ResourceRequirements | undefined {
  if (!state.adopted.has(container.id)) return undefined;
  const { containerStatuses = [], initContainerStatuses = [] } = state.pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find((s) => s.containerID?.endsWith(container.id))?.resources;
}

function needsRestart(spec: ContainerSpec, before: ResourceRequirements): boolean {
  return (spec.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' &&
      (before.limits?.[resourceName] !== spec.resources?.limits?.[resourceName] ||
        before.requests?.[resourceName] !== spec.resources?.requests?.[resourceName]),
  );
}
