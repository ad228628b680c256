import type { Pod, PodStatus, ResourceRequirements } from '../../api/generated/types.ts';
import type { WaitingReason } from '../status/container-status.ts';
import type { PodFailure } from '../status/pod-status.ts';
import type { MountedVolume } from '../volumes/volume-manager.ts';
import type { BackoffEntry } from './crash-backoff.ts';
import { nothingObserved, type ObservedPod } from './observed.ts';

/** The worker was told to stop what it is doing: the pod is going down. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Everything the agent knows of one pod. Owned by the pod's worker; others only set what the pod should be. */
export class PodState {
  readonly uid: string;
  pod: Pod;
  /** The object is known from the checkpoint only; the server has not been heard. */
  fromCheckpoint: boolean;
  /** The API no longer has the pod. */
  gone = false;
  failure: PodFailure | undefined;
  observed: ObservedPod = nothingObserved;
  /** The status as computed last. */
  reported: PodStatus | undefined;
  /** The status the server has from us; undefined = only what its own object shows. */
  sent: PodStatus | undefined;
  /** When to report again what the server did not take; Infinity when it knows all. */
  reportAtMs = Number.POSITIVE_INFINITY;
  /** All containers and the sandbox have been stopped for good. */
  ended = false;
  readonly waiting = new Map<string, WaitingReason>();
  readonly backoff = new Map<string, BackoffEntry>();
  /** No start of the container before this time, by name; `''` is the sandbox. */
  readonly retryAt = new Map<string, number>();
  readonly terminationMessages = new Map<string, string>();
  /** Resources each running container has been given, by its id. */
  readonly resources = new Map<string, ResourceRequirements>();
  /** Containers that ran before this agent did. */
  readonly adopted = new Set<string>();
  volumes: ReadonlyMap<string, MountedVolume> = new Map();
  /** Shortens the grace period of a termination that is on its way, in seconds. */
  shortenGrace: ((graceSeconds: number) => void) | undefined;
  #interrupt: (() => void) | undefined;

  constructor(pod: Pod, fromCheckpoint: boolean) {
    this.uid = pod.metadata.uid;
    this.pod = pod;
    this.fromCheckpoint = fromCheckpoint;
  }

  /** The pod is to go down: nothing new is started. */
  get terminating(): boolean {
    return this.gone || this.failure !== undefined || this.pod.metadata.deletionTimestamp !== undefined;
  }

  /** Seconds the pod's processes have to end by themselves. */
  get graceSeconds(): number {
    const { metadata, spec } = this.pod;
    if (metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds !== undefined)
      return metadata.deletionGracePeriodSeconds;
    return spec.terminationGracePeriodSeconds ?? 30;
  }

  /** Waits for something slow, but not longer than the pod is to run. Rejects with Interrupted then. */
  async unlessTerminating<T>(work: Promise<T>): Promise<T> {
    if (this.terminating) {
      // Begun already; nobody will look at how it ends.
      work.catch(() => {});
      throw new Interrupted('the pod is being terminated');
    }
    const interrupted = new Promise<never>((_, reject) => {
      this.#interrupt = () => reject(new Interrupted('the pod is being terminated'));
    });
    // The loser of the race may reject later: that is then nobody's business.
    work.catch(() => {});
    interrupted.catch(() => {});
    try {
      return await Promise.race([work, interrupted]);
    } finally {
      this.#interrupt = undefined;
    }
  }

  interrupt(): void {
    this.#interrupt?.();
  }
}
