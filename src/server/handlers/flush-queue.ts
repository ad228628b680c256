import type { Clock } from '../../lib/clock.ts';

/** So many streams are written to in one turn: requests that come meanwhile wait for a few of them, not for all. */
const streamsPerTurn = 8;
/**
 * A stream that was written to gathers for this many times as long as writing to all of them took, and what else the process did meanwhile: with few
 * watchers and nothing else to do, hardly at all; with many, or under load, a burst of events costs each watcher a few writes instead of one an event.
 */
const gatherPerWriting = 8;
const minGatherMs = 1;
const maxGatherMs = 10;

/** Something that gathers bytes until it is told to write them. */
export interface GatheringStream {
  /** The gathering time in which it was last written to; belongs to the queue. */
  writtenIn: number;
  flush(): void;
}

/** Decides when streams write what they gathered: in the turn after the first event, and after that once per gathering time. */
export class FlushQueue {
  readonly #clock: Clock;
  /** Those to be written to now, from `#next` on. */
  #ready: GatheringStream[] = [];
  #next = 0;
  /** Those that were written to in this gathering time. */
  #later: GatheringStream[] = [];
  #time = 1;
  /** When the first was written to in this gathering time; undefined before that. */
  #startedMs: number | undefined;
  #gathering = false;
  #lastJoined: { readonly parts: readonly Uint8Array[]; readonly bytes: Uint8Array } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has a stream flushed once; it is not to be added again before that. */
  add(stream: GatheringStream): void {
    if (stream.writtenIn === this.#time) {
      this.#later.push(stream);
      return;
    }
    // Not in a microtask: the answer to the write that is the event goes out before its watchers are told.
    if (this.#ready.length === 0) setImmediate(this.#flushSome);
    this.#ready.push(stream);
  }

  /** The parts in one piece. Streams that are flushed one after the other and gathered the same get the same bytes. */
  joined(parts: readonly Uint8Array[]): Uint8Array {
    if (parts.length === 1) return parts[0]!;
    const last = this.#lastJoined;
    if (last && last.parts.length === parts.length && last.parts.every((part, i) => part === parts[i])) return last.bytes;
    const bytes = Buffer.concat(parts);
    this.#lastJoined = { parts, bytes };
    return bytes;
  }

  readonly #flushSome = (): void => {
    this.#startedMs ??= this.#clock.monotonicMs();
    const end = Math.min(this.#next + streamsPerTurn, this.#ready.length);
    while (this.#next < end) {
      const stream = this.#ready[this.#next++]!;
      stream.writtenIn = this.#time;
      stream.flush();
    }
    if (this.#next < this.#ready.length) {
      setImmediate(this.#flushSome);
      return;
    }
    this.#ready = [];
    this.#next = 0;
    this.#lastJoined = undefined;
    if (this.#gathering) return;
    this.#gathering = true;
    // Much of the writing is done by Node.js after this.
    setImmediate(this.#gather);
  };

  readonly #gather = (): void => {
    const tookMs = this.#clock.monotonicMs() - this.#startedMs!;
    this.#clock.after(Math.min(maxGatherMs, Math.max(minGatherMs, tookMs * gatherPerWriting)), this.#flushLater);
  };

  readonly #flushLater = (): void => {
    const streams = this.#later;
    this.#later = [];
    this.#time++;
    this.#startedMs = undefined;
    this.#gathering = false;
    for (const stream of streams) this.add(stream);
  };
}
