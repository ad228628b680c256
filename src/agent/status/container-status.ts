import type {
  Container as ContainerSpec,
  ContainerState,
  ContainerStatus,
  Pod,
  VolumeMountStatus,
} from '../../api/generated/types.ts';
import { timestamp } from '../../api/timestamp.ts';
import type { Container } from '../../runtime/runtime.ts';
import { latest, type ObservedPod } from '../pod/observed.ts';

/** Why a container does not run (yet): what kubectl shows in the STATUS column. */
export interface WaitingReason {
  readonly reason: string;
  readonly message?: string;
}

export interface ContainerFacts {
  readonly waiting: ReadonlyMap<string, WaitingReason>;
  started(containerId: string): boolean;
  ready(containerId: string, name: string): boolean;
  /** What the process left at its terminationMessagePath, by container id. */
  terminationMessage(containerId: string): string | undefined;
  /** `containerd`, the scheme of container ids. */
  readonly runtimeName: string;
}

const lostExitCode = 137;

/** The status of one container from what the runtime has of it and from the status reported before. */
export function containerStatus(
  pod: Pod,
  spec: ContainerSpec,
  context: { observed: ObservedPod; previous: ContainerStatus | undefined; facts: ContainerFacts; defaultWaiting: string },
): ContainerStatus {
  const { observed, previous, facts } = context;
  const current = latest(observed, spec.name);
  const base = {
    name: spec.name,
    image: spec.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    ...mountsAndResources(pod, spec),
  };
  if (!current)
    return { ...base, ...withoutContainer(previous, facts.waiting.get(spec.name) ?? { reason: context.defaultWaiting }) };
  const older = observed.containers.find((c) => c.name === spec.name && c !== current && c.state === 'exited');
  const waiting = current.state === 'running' ? undefined : facts.waiting.get(spec.name);
  const own = stateOf(current, facts);
  const last = waiting && own.terminated ? own : older ? stateOf(older, facts) : lastKnown(previous, idText(current, facts));
  const started = current.state === 'running' && facts.started(current.id);
  return {
    ...base,
    // A runtime that was given an id answers with it; people know the name.
    image: current.image === '' || current.image.startsWith('sha256:') ? base.image : current.image,
    imageID: current.imageRef,
    containerID: idText(current, facts),
    restartCount: Math.max(current.attempt, waiting ? (previous?.restartCount ?? 0) : 0),
    state: waiting ? { waiting: toWaiting(waiting) } : own,
    lastState: last ?? {},
    started,
    ready: current.state === 'running' ? started && facts.ready(current.id, spec.name) : false,
  };
}

function toWaiting({ reason, message }: WaitingReason): { reason: string; message?: string } {
  return message === undefined ? { reason } : { reason, message };
}

/** A container the runtime does not know: never made, or forgotten (then it counts as lost). */
function withoutContainer(
  previous: ContainerStatus | undefined,
  waiting: WaitingReason,
): Pick<ContainerStatus, 'state' | 'lastState' | 'restartCount'> {
  const before = previous?.state?.running ?? previous?.state?.terminated;
  if (!previous || !before)
    return {
      state: { waiting: toWaiting(waiting) },
      lastState: previous?.lastState ?? {},
      restartCount: previous?.restartCount ?? 0,
    };
  const lost = previous.state?.terminated ?? {
    exitCode: lostExitCode,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  };
  return { state: { waiting: toWaiting(waiting) }, lastState: { terminated: lost }, restartCount: previous.restartCount };
}

/** The end of the container before this one, when the runtime no longer has it. */
function lastKnown(previous: ContainerStatus | undefined, containerID: string): ContainerState | undefined {
  if (previous?.containerID === containerID || !previous?.state?.terminated) return previous?.lastState;
  return { terminated: previous.state.terminated };
}

function stateOf(container: Container, facts: ContainerFacts): ContainerState {
  switch (container.state) {
    case 'running':
      return { running: { startedAt: timeText(container.startedAtMs) } };
    case 'created':
      return { waiting: { reason: 'ContainerCreating' } };
    case 'unknown':
      return { terminated: { exitCode: lostExitCode, reason: 'ContainerStatusUnknown', containerID: idText(container, facts) } };
    case 'exited': {
      const message = facts.terminationMessage(container.id) || container.message;
      return {
        terminated: {
          exitCode: container.exitCode,
          reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
          ...(message ? { message } : {}),
          startedAt: timeText(container.startedAtMs),
          finishedAt: timeText(container.finishedAtMs),
          containerID: idText(container, facts),
        },
      };
    }
  }
}

const idText = (container: Container, facts: ContainerFacts): string => `${facts.runtimeName}://${container.id}`;

/** RFC 3339 with seconds, as the API writes times; the epoch for a time that is not known. */
export function timeText(ms: number): string {
  return timestamp(Math.max(0, ms));
}

function mountsAndResources(pod: Pod, spec: ContainerSpec): Partial<ContainerStatus> {
  const volumeMounts: VolumeMountStatus[] = (spec.volumeMounts ?? []).map((m) => ({
    name: m.name,
    mountPath: m.mountPath,
    ...(m.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
  }));
  const isEphemeral = (pod.spec.ephemeralContainers ?? []).some((c) => c.name === spec.name);
  const requests = spec.resources?.requests;
  return {
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
    ...(isEphemeral ? {} : { resources: spec.resources ?? {}, ...(requests ? { allocatedResources: requests } : {}) }),
  };
}
