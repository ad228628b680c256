import type { Pod, PodStatus } from '../../api/generated/types.ts';
import { Pod as PodKind } from '../../api/kinds/core/pod.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import { podStatus } from '../status/pod-status.ts';
import { statusPatch } from '../status/status-patch.ts';
import type { PodState } from './pod-state.ts';

const retryMs = 10_000;

export interface ReporterDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly probes: ProbeManager;
  readonly hostIPs: () => readonly string[];
  readonly runtimeName: () => string;
}

/** Tells the API how pods are doing, when that has changed. */
export class PodReporter {
  readonly #deps: ReporterDeps;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** Reports what `state` has come to. Returns the pod with that status. A server that cannot be reached is told later. */
  async report(state: PodState): Promise<Pod> {
    const next = this.compute(state);
    state.reported = next;
    if (!state.fromCheckpoint && !state.gone) {
      const patch = statusPatch(state.uid, state.sent ?? state.pod.status ?? {}, next);
      if (!patch || (await this.#send(state, patch))) state.sent = next;
    }
    return { ...state.pod, status: next };
  }

  compute(state: PodState): PodStatus {
    const { clock, probes, hostIPs, runtimeName } = this.#deps;
    const own = state.reported ?? state.pod.status ?? {};
    const ownedTypes = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']);
    const foreign = (state.pod.status?.conditions ?? []).filter((c) => !ownedTypes.has(c.type));
    const previous = { ...own, conditions: [...(own.conditions ?? []).filter((c) => ownedTypes.has(c.type)), ...foreign] };
    return podStatus({
      pod: state.pod,
      previous,
      observed: state.observed,
      nowMs: clock.now(),
      hostIPs: hostIPs(),
      ...(state.failure ? { failure: state.failure } : {}),
      ended: state.ended,
      facts: {
        waiting: state.waiting,
        runtimeName: runtimeName(),
        started: (id) => probes.started(id),
        ready: (id) => probes.ready(id),
        terminationMessage: (id) => state.terminationMessages.get(id),
      },
    });
  }

  async #send(state: PodState, body: Record<string, unknown>): Promise<boolean> {
    const { namespace = '', name } = state.pod.metadata;
    try {
      await this.#deps.client.patch(PodKind, { namespace, name }, { type: 'strategic', body, subresource: 'status' });
      state.reportAtMs = Number.POSITIVE_INFINITY;
      return true;
    } catch (error) {
      // Gone, or another pod of that name: the informer tells.
      if (isStatus(error, 'NotFound', 'Conflict')) return true;
      this.#deps.log.debug('a pod status could not be reported', { pod: `${namespace}/${name}`, error });
      // Its containers are looked after all the same.
      state.reportAtMs = this.#deps.clock.now() + retryMs;
      return false;
    }
  }
}
