import type { Container as ContainerSpec, ContainerStatus, Pod, PodStatus } from '../../api/generated/types.ts';
import { currentSandbox, latest, type ObservedPod } from '../pod/observed.ts';
import { qosClass } from '../resources/qos.ts';
import { type ContainerFacts, containerStatus, timeText } from './container-status.ts';
import { mergeConditions, podVerdicts } from './pod-conditions.ts';
import { type Phase, podPhase } from './pod-phase.ts';

/** The node has given up on the pod: deadline, eviction. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

export interface PodStatusInput {
  readonly pod: Pod;
  /** What was reported last, or what the API has. */
  readonly previous: PodStatus;
  readonly observed: ObservedPod;
  readonly facts: ContainerFacts;
  readonly hostIPs: readonly string[];
  readonly nowMs: number;
  readonly failure?: PodFailure;
  /** Nothing runs any more and nothing will. */
  readonly ended?: boolean;
}

/** The status the node reports for a pod; pure. Rule: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, previous, observed, failure, hostIPs } = input;
  const sandbox = currentSandbox(observed);
  const waiting = (pod.spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
  const initStatuses = statuses(input, pod.spec.initContainers ?? [], previous.initContainerStatuses, waiting);
  const appStatuses = statuses(input, pod.spec.containers, previous.containerStatuses, waiting);
  const [init, app] = input.ended ? allEnded(initStatuses, appStatuses) : [initStatuses, appStatuses];
  const ephemeralSpecs = (pod.spec.ephemeralContainers ?? []) as ContainerSpec[];
  const ephemeralStatuses = statuses(input, ephemeralSpecs, previous.ephemeralContainerStatuses, 'ContainerCreating');
  const ephemeral = input.ended ? ephemeralStatuses.map(asEnded) : ephemeralStatuses;
  const phase = finalPhase(input, podPhase(pod, { init, app }));
  if (phase === 'Succeeded' || phase === 'Failed') for (const s of [...init, ...app]) s.ready = false;
  const ips = pod.spec.hostNetwork ? hostIPs : (sandbox?.ips ?? []);
  const kept = ips.length > 0 ? ips : (previous.podIPs ?? []).map((p) => p.ip);
  const { generation } = pod.metadata;
  return {
    phase,
    conditions: mergeConditions(
      podVerdicts({ pod, phase, init, app, sandboxReady: sandbox !== undefined }),
      previous.conditions ?? [],
      {
        now: timeText(input.nowMs),
        generation,
      },
    ),
    ...(failure ? { reason: failure.reason, message: failure.message } : {}),
    ...(hostIPs[0] ? { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(kept[0] ? { podIP: kept[0], podIPs: kept.map((ip) => ({ ip })) } : {}),
    startTime: previous.startTime ?? timeText(input.nowMs),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: app,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: qosClass(pod),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function statuses(
  input: PodStatusInput,
  specs: readonly ContainerSpec[],
  previous: readonly ContainerStatus[] | undefined,
  defaultWaiting: string,
): ContainerStatus[] {
  const { observed, facts } = input;
  const isInit = specs === input.pod.spec.initContainers;
  return specs.map((spec) => {
    const status = containerStatus(input.pod, spec, {
      observed,
      facts,
      previous: previous?.find((s) => s.name === spec.name),
      defaultWaiting,
    });
    // An init container that has done its work is ready.
    if (isInit && status.state?.terminated?.exitCode === 0 && !input.ended) status.ready = true;
    return input.ended ? { ...status, ready: false, started: false } : status;
  });
}

/**
 * At the end of a pod nothing that was due waits: what never ran, or was lost, is reported as terminated. Containers whose turn had not come stay
 * as they are (upstream: kubelet/status/status_manager.go, TerminatePod).
 */
function allEnded(init: readonly ContainerStatus[], app: readonly ContainerStatus[]): [ContainerStatus[], ContainerStatus[]] {
  const last = init.at(-1);
  const initDone = !last || [last.state, last.lastState].some((state) => state?.terminated?.exitCode === 0 || state?.running);
  const due = Math.max(1, init.findLastIndex(hasBegun) + 1);
  const isAppDue = initDone || app.some(hasBegun);
  return [
    init.map((status, i) => (i < due ? asEnded(status) : status)),
    app.map((status) => (isAppDue ? asEnded(status) : status)),
  ];
}

function hasBegun({ state, lastState }: ContainerStatus): boolean {
  return Boolean(state?.running || state?.terminated || lastState?.terminated);
}

function asEnded(status: ContainerStatus): ContainerStatus {
  const { state, lastState } = status;
  if (state?.terminated) return status;
  const terminated = lastState?.terminated && !state?.running ? lastState.terminated : undefined;
  return {
    ...status,
    state: {
      terminated: terminated ?? {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
      },
    },
    lastState: terminated ? {} : (lastState ?? {}),
  };
}

/** A pod that has ended stays ended; one the node gave up on has failed; a killed one ends by its exit codes. */
function finalPhase(input: PodStatusInput, computed: Phase): Phase {
  const before = input.previous.phase;
  if (before === 'Succeeded' || before === 'Failed') return before;
  if (input.failure) return 'Failed';
  if (!input.ended) return computed;
  if (computed === 'Succeeded' || computed === 'Failed') return computed;
  const codes = input.pod.spec.containers.map((c) => latest(input.observed, c.name)?.exitCode);
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
}
