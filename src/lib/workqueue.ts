import { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
import type { Clock } from './clock.ts';

export interface WorkQueueOptions {
  /** Handles one key. Its rejection makes the key come back after a back-off. Never called for one key twice at a time. */
  readonly work: (key: string) => Promise<void>;
  readonly concurrency: number;
  readonly backoff: BackoffPolicy;
  readonly clock: Clock;
  /** Told of every rejection of `work`, with the delay until the next attempt. */
  readonly onError?: (key: string, error: unknown, retryMs: number) => void;
  readonly observer?: WorkQueueObserver | undefined;
}

/** Who wants to know how busy a queue is. */
export interface WorkQueueObserver {
  created(queue: Pick<WorkQueue, 'size' | 'handled' | 'runningMs'>): void;
  /** A key that waited so long was handed to a worker. */
  started(waitedMs: number): void;
  /** Called after every run of `work`. */
  done(durationMs: number, failed: boolean): void;
}

/**
 * Keys to be worked on: each at most once in the queue, at most one worker per key, a key added while it is worked on comes back
 * afterwards. Its size is bounded by the number of distinct keys. One timer at most, and only while a key is delayed.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** When each key came; insertion order is the order of work. */
  readonly #ready = new Map<string, number>();
  /** When each run began. */
  readonly #running = new Map<string, number>();
  readonly #again = new Set<string>();
  readonly #dueAt = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #paused = true;
  #handled = 0;
  #stopped = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    options.observer?.created(this);
  }

  /** Keys waiting for a worker. */
  get size(): number {
    return this.#ready.size;
  }

  /** Keys that were handed to workers so far. */
  get handled(): number {
    return this.#handled;
  }

  /** How long each of the keys has been worked on that are being worked on now. */
  get runningMs(): number[] {
    const now = this.#options.clock.monotonicMs();
    return Array.from(this.#running.values(), (startedAt) => now - startedAt);
  }

  /** Keys waiting for their time. */
  get delayed(): number {
    return this.#dueAt.size;
  }

  /** Workers begin; keys added before are kept until now. */
  start(): void {
    this.#paused = false;
    this.#pump();
  }

  /** No further key is handed out; resolves when the running ones have ended. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.clear();
    this.#again.clear();
    this.#dueAt.clear();
    this.#cancelTimer?.();
    return this.#running.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Work on `key` as soon as a worker is free. A pending delay of the key ends. */
  add(key: string): void {
    if (this.#stopped) return;
    this.#dueAt.delete(key);
    if (this.#running.has(key)) this.#again.add(key);
    else if (!this.#ready.has(key)) this.#ready.set(key, this.#options.clock.monotonicMs());
    this.#pump();
  }

  /** Work on `key` in `delayMs`, or earlier if that was asked for before. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped || this.#ready.has(key) || this.#again.has(key)) return;
    const at = this.#options.clock.monotonicMs() + Math.max(0, delayMs);
    const before = this.#dueAt.get(key);
    if (before !== undefined && before <= at) return;
    this.#dueAt.set(key, at);
    this.#arm(at);
  }

  #pump(): void {
    if (this.#paused || this.#stopped) return;
    const { clock, concurrency, observer } = this.#options;
    for (const [key, since] of this.#ready) {
      if (this.#running.size >= concurrency) return;
      const now = clock.monotonicMs();
      this.#ready.delete(key);
      this.#running.set(key, now);
      this.#handled++;
      observer?.started(now - since);
      void this.#run(key, now);
    }
  }

  async #run(key: string, startedAt: number): Promise<void> {
    const { work, clock, observer, onError, backoff } = this.#options;
    let failed = false;
    try {
      // Never in the caller's turn: a key is often added from inside an event handler.
      await Promise.resolve();
      await work(key);
      this.#failures.delete(key);
    } catch (error) {
      failed = true;
      const attempt = this.#failures.get(key) ?? 0;
      this.#failures.set(key, attempt + 1);
      const retryMs = backoffDelayMs(backoff, attempt);
      this.#running.delete(key);
      this.addAfter(key, retryMs);
      onError?.(key, error, retryMs);
    }
    this.#running.delete(key);
    observer?.done(clock.monotonicMs() - startedAt, failed);
    if (this.#again.delete(key)) this.add(key);
    this.#pump();
    if (this.#running.size === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** One timer, for the earliest key. */
  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#options.clock.after(Math.max(0, at - this.#options.clock.monotonicMs()), () => this.#release());
  }

  #release(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.monotonicMs();
    let earliest = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#dueAt) {
      // A timer may fire a fraction of a millisecond early.
      if (at <= now + 1) this.add(key);
      else earliest = Math.min(earliest, at);
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#arm(earliest);
  }
}
