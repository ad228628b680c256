import type { CacheEvent } from './watch-cache.ts';

/** What an event costs besides the bytes it keeps alive. */
const eventOverheadBytes = 200;
/** That many events stay however old they are: on a quiet machine a watch resumes after hours. */
const keptEvents = 1000;
/** The array is cut at its front only when this many dropped events have gathered there. */
const trimEvents = 1024;

/**
 * The most recent events in revision order: at most `maxEvents` of them, at most `maxBytes` of the old values they keep alive, and beyond some
 * none older than `maxAgeMs`, so that heartbeats do not fill it in the course of a day. Every event after `floor` is here.
 */
export class EventHistory<I> {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  #events: (CacheEvent<I> | undefined)[] = [];
  /** When each of them came. */
  #times: number[] = [];
  /** Events before this index have been dropped. */
  #first = 0;
  #bytes = 0;
  #floor = 0;

  constructor(options: { maxEvents: number; maxBytes: number; maxAgeMs: number }) {
    this.#maxEvents = options.maxEvents;
    this.#maxBytes = options.maxBytes;
    this.#maxAgeMs = options.maxAgeMs;
  }

  /** The revision after which nothing is missing. */
  get floor(): number {
    return this.#floor;
  }

  get size(): number {
    return this.#events.length - this.#first;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Forgets everything; history begins after `floor`. */
  reset(floor: number): void {
    this.#events = [];
    this.#times = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#floor = floor;
  }

  push(event: CacheEvent<I>, nowMs: number): void {
    this.#events.push(event);
    this.#times.push(nowMs);
    this.#bytes += costOf(event);
    while (this.size > this.#maxEvents || (this.#bytes > this.#maxBytes && this.size > 0)) this.#dropFirst();
    while (this.size > keptEvents && this.#times[this.#first]! < nowMs - this.#maxAgeMs) this.#dropFirst();
  }

  /** Visits the events with a revision > `after`, oldest first. */
  forEachAfter(after: number, visit: (event: CacheEvent<I>) => void): void {
    for (let i = this.#indexAfter(after); i < this.#events.length; i++) visit(this.#events[i]!);
  }

  #indexAfter(revision: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropFirst(): void {
    const event = this.#events[this.#first]!;
    this.#events[this.#first++] = undefined;
    this.#bytes -= costOf(event);
    this.#floor = event.revision;
    if (this.#first < trimEvents) return;
    this.#events.splice(0, this.#first);
    this.#times.splice(0, this.#first);
    this.#first = 0;
  }
}

/** Only the old value counts: the new one is alive anyway, or the old value of a later event. */
function costOf(event: CacheEvent<unknown>): number {
  return eventOverheadBytes + (event.previous?.value.length ?? 0);
}
