import type { Clock } from '../../lib/clock.ts';

/** A stream that was written to waits this long for more: a burst of events then costs each watcher a few writes instead of one an event. */
const gatherMs = 10;

/** Something that gathers bytes until it is told to write them. */
export interface GatheringStream {
  /** The gathering time in which it was last written to; belongs to the queue. */
  writtenIn: number;
  flush(): void;
}

/**
 * Decides when streams write what they gathered: in the turn after the first event, and after that once per gathering time. One
 * timer for all streams, which runs only while events come.
 */
export class FlushQueue {
  readonly #clock: Clock;
  #soon: GatheringStream[] = [];
  #later: GatheringStream[] = [];
  #time = 1;
  #timing = false;
  #lastJoined: { readonly parts: readonly Uint8Array[]; readonly bytes: Uint8Array } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has a stream flushed once; it is not to be added again before that. */
  add(stream: GatheringStream): void {
    if (this.#timing && stream.writtenIn === this.#time) {
      this.#later.push(stream);
      return;
    }
    // Not in a microtask: the answer to the write that is the event goes out before its watchers are told.
    if (this.#soon.length === 0) setImmediate(this.#flushSoon);
    this.#soon.push(stream);
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

  readonly #flushSoon = (): void => {
    const streams = this.#soon;
    this.#soon = [];
    this.#flush(streams);
  };

  readonly #flushLater = (): void => {
    const streams = this.#later;
    this.#later = [];
    this.#time++;
    this.#timing = false;
    if (streams.length > 0) this.#flush(streams);
  };

  #flush(streams: readonly GatheringStream[]): void {
    for (const stream of streams) {
      stream.writtenIn = this.#time;
      stream.flush();
    }
    this.#lastJoined = undefined;
    if (this.#timing) return;
    this.#timing = true;
    this.#clock.after(gatherMs, this.#flushLater);
  }
}
