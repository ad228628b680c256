import type { PodCondition } from '../../api/generated/types.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { keyOf } from '../../api/meta.ts';
import { isStatus } from '../../api/status-error.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Binder } from './binder.ts';

interface Told {
  readonly pod: Pod;
  readonly message: string;
}

/** Pods told of at the same time: together they wait for the disk once. */
const groupSize = 4;
/**
 * After each group the teller rests this many times as long as the event loop was busy meanwhile. To tell of a pod costs the server as much as the
 * request that made it: when a thousand arrive that fit nowhere, those who make them are answered first. Decisions do not wait.
 */
const restFactor = 4;
/** So that a server that is busy all the time tells of 40 pods a second. */
const maxRestMs = 100;

/** Tells why pods wait, in an event and a condition of each. Of a pod that waits to be told of, only the latest reason is. */
export class Teller {
  readonly #deps: TellerDeps;
  /** By uid, whose turn it is first. */
  readonly #untold = new Map<string, Told>();
  #telling: Promise<void> | undefined;
  #endRest: (() => void) | undefined;

  constructor(deps: TellerDeps) {
    this.#deps = deps;
  }

  tell(pod: Pod, message: string): void {
    this.#untold.set(pod.metadata.uid, { pod, message });
    this.#telling ??= this.#tellAll();
  }

  /** The pod has found a node, or is gone. */
  forget(uid: string): void {
    this.#untold.delete(uid);
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#untold.clear();
    this.#endRest?.();
    await this.#telling;
  }

  async #tellAll(): Promise<void> {
    // Never in the caller's turn: it may have more to tell.
    await Promise.resolve();
    while (this.#untold.size > 0) {
      const group = this.#untold.entries().take(groupSize).toArray();
      for (const [uid] of group) this.#untold.delete(uid);
      const before = performance.eventLoopUtilization();
      await Promise.all(group.map(([, told]) => this.#tell(told)));
      if (this.#untold.size > 0) await this.#rest(performance.eventLoopUtilization(before).active * restFactor);
    }
    this.#telling = undefined;
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(Math.min(ms, maxRestMs), resolve);
      this.#endRest = () => {
        cancel();
        resolve();
      };
    });
  }

  async #tell({ pod, message }: Told): Promise<void> {
    const { events, log } = this.#deps;
    events.event(pod, 'Warning', 'FailedScheduling', message, 'Scheduling');
    try {
      await this.#writeCondition(pod, message);
    } catch (error) {
      if (!isStatus(error, 'Conflict', 'NotFound')) log.warn('writing the status of a pod failed', { pod: keyOf(pod), error });
    }
  }

  async #writeCondition(pod: Pod, message: string): Promise<void> {
    const { uid } = pod.metadata;
    const fresh = this.#deps.informers.get(Pod).get(keyOf(pod));
    if (!fresh || fresh.metadata.uid !== uid || fresh.spec.nodeName) return;
    const told: PodCondition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    await this.#deps.binder.writeStatus(fresh, told, this.#deps.nominatedNodeOf(uid));
  }
}

interface TellerDeps {
  readonly binder: Binder;
  readonly events: EventRecorder;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** The node a pod was promised room on. */
  nominatedNodeOf(uid: string): string | undefined;
}
