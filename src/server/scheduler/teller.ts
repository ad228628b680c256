import type { PodCondition } from '../../api/generated/types.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { keyOf } from '../../api/meta.ts';
import { isStatus } from '../../api/status-error.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { WorkQueue } from '../../lib/workqueue.ts';
import type { Binder } from './binder.ts';

interface Told {
  readonly pod: Pod;
  readonly message: string;
}

/**
 * Pods told of at the same time. Few, because each costs the server as much as the request that made the pod: when a thousand arrive that
 * fit nowhere, those who make them are to be answered first. With a disk that takes 30 ms it is still 60 a second. Decisions do not wait.
 */
const tellLimit = 2;
/** Never used: what cannot be told is dropped. */
const backoff = { initialMs: 1000, maxMs: 1000 };

/** Tells why pods wait, in an event and a condition of each. Of a pod that waits to be told of, only the latest reason is. */
export class Teller {
  readonly #deps: TellerDeps;
  readonly #untold = new Map<string, Told>();
  readonly #queue: WorkQueue;

  constructor(deps: TellerDeps) {
    this.#deps = deps;
    const { clock } = deps;
    this.#queue = new WorkQueue({ work: (uid) => this.#work(uid), concurrency: tellLimit, backoff, clock });
    this.#queue.start();
  }

  tell(pod: Pod, message: string): void {
    const { uid } = pod.metadata;
    this.#untold.set(uid, { pod, message });
    this.#queue.add(uid);
  }

  /** The pod has found a node, or is gone. */
  forget(uid: string): void {
    this.#untold.delete(uid);
  }

  /** Resolves when nothing is being written any more. */
  stop(): Promise<void> {
    this.#untold.clear();
    return this.#queue.stop();
  }

  async #work(uid: string): Promise<void> {
    const told = this.#untold.get(uid);
    if (!told) return;
    this.#untold.delete(uid);
    const { pod, message } = told;
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
