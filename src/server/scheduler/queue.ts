import type { Pod } from '../../api/kinds/core/pod.ts';
import { backoffDelayMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ClusterEvent } from './framework.ts';

/** A pod on its way to a node. */
export interface QueuedPod {
  pod: Pod;
  attempts: number;
  readonly addedAtMs: number;
  /** Not tried again before this time. */
  backoffUntilMs: number;
  /** What may make it fit; empty until it was tried. */
  wokenBy: ReadonlySet<ClusterEvent>;
  state: 'active' | 'backoff' | 'unschedulable' | 'inFlight';
}

const backoff = { initialMs: 1000, maxMs: 10_000 };
/** A pod nobody wakes is tried again after this time, in case an event was not foreseen. */
const unschedulableRetryMs = 5 * 60_000;

/**
 * Pods that wait for a node: those to be tried now (highest priority first), those that wait out a back-off, and those that wait for the
 * cluster to change. It needs a timer only while some pod waits.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #pods = new Map<string, QueuedPod>();
  /** The next one is the last: highest priority, and of these the one added first. */
  #active: QueuedPod[] = [];
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  /** `onReady` is called when there may be something to `take`. */
  constructor(clock: Clock, onReady: () => void) {
    this.#clock = clock;
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#pods.size;
  }

  get activeCount(): number {
    return this.#active.length;
  }

  get(uid: string): QueuedPod | undefined {
    return this.#pods.get(uid);
  }

  entries(): IterableIterator<QueuedPod> {
    return this.#pods.values();
  }

  /** A pod without a node. If it is known its object is replaced, and `changed` gives it another chance. */
  put(pod: Pod, changed: boolean): void {
    const known = this.#pods.get(pod.metadata.uid);
    if (!known) {
      const now = this.#clock.now();
      const entry: QueuedPod = { pod, attempts: 0, addedAtMs: now, backoffUntilMs: 0, wokenBy: new Set(), state: 'active' };
      this.#pods.set(pod.metadata.uid, entry);
      this.#activate(entry);
      return;
    }
    known.pod = pod;
    if (changed && known.state === 'unschedulable') this.#wake(known);
  }

  remove(uid: string): void {
    const entry = this.#pods.get(uid);
    if (!entry) return;
    this.#pods.delete(uid);
    if (entry.state === 'active') this.#active = this.#active.filter((e) => e !== entry);
  }

  /** The next pod to be tried. It is in flight until `failed` or `remove`. */
  take(): QueuedPod | undefined {
    const entry = this.#active.pop();
    if (!entry) return undefined;
    entry.state = 'inFlight';
    entry.attempts++;
    return entry;
  }

  /** It did not work: `wokenBy` says what to wait for; undefined: only the back-off. */
  failed(entry: QueuedPod, wokenBy: ReadonlySet<ClusterEvent> | undefined): void {
    if (this.#pods.get(entry.pod.metadata.uid) !== entry) return;
    entry.backoffUntilMs = this.#clock.now() + backoffDelayMs(backoff, entry.attempts - 1);
    entry.wokenBy = wokenBy ?? new Set();
    entry.state = wokenBy ? 'unschedulable' : 'backoff';
    this.#arm(wokenBy ? this.#clock.now() + unschedulableRetryMs : entry.backoffUntilMs);
  }

  /** Something happened: pods that wait for it are tried again, after their back-off. */
  moveOn(event: ClusterEvent): void {
    for (const entry of this.#pods.values()) if (entry.state === 'unschedulable' && entry.wokenBy.has(event)) this.#wake(entry);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#pods.clear();
    this.#active = [];
  }

  #wake(entry: QueuedPod): void {
    if (entry.backoffUntilMs <= this.#clock.now()) this.#activate(entry);
    else {
      entry.state = 'backoff';
      this.#arm(entry.backoffUntilMs);
    }
  }

  #activate(entry: QueuedPod): void {
    entry.state = 'active';
    this.#active.splice(this.#placeOf(entry), 0, entry);
    this.#onReady();
  }

  /** Most arrivals go to the front, behind all that came before. */
  #placeOf(entry: QueuedPod): number {
    let [low, high] = [0, this.#active.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (goesBefore(this.#active[middle]!, entry)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    this.#cancelTimer?.();
    this.#timerAtMs = atMs;
    this.#cancelTimer = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => this.#release());
  }

  #release(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#pods.values()) {
      const dueMs = dueAt(entry);
      if (dueMs === undefined) continue;
      if (dueMs <= now) this.#activate(entry);
      else next = Math.min(next, dueMs);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }
}

/** True when `a`, which was in the queue before, is to be tried before `b`. */
function goesBefore(a: QueuedPod, b: QueuedPod): boolean {
  const [priorityA, priorityB] = [priorityOf(a.pod), priorityOf(b.pod)];
  return priorityA === priorityB ? a.addedAtMs <= b.addedAtMs : priorityA > priorityB;
}

function dueAt({ state, backoffUntilMs }: QueuedPod): number | undefined {
  if (state === 'backoff') return backoffUntilMs;
  return state === 'unschedulable' ? backoffUntilMs + unschedulableRetryMs : undefined;
}

/** The number that admission gave the pod; 0 without one. */
export function priorityOf(pod: Pod): number {
  return pod.spec.priority ?? 0;
}
