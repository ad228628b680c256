import type { Clock } from './clock.ts';

/** Work on less than this is done at once. */
const longWorkBytes = 128 * 1024;
/** After a piece comes a rest that is this part as long, and no longer than that: a write that waits for the disk shall not wait for the next piece too. */
const restPart = 0.25;
const maxRestMs = 10;

/**
 * Work that takes long, cut into pieces by those who do it: all such work together does one piece at a time and rests in between, so that whatever
 * else comes waits for one piece, not for all the work of all.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;
  #startedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to await before the next piece of work on so many bytes; undefined when nobody needs to wait for that. */
  forWorkOn(bytes: number): (() => Promise<void>) | undefined {
    return bytes < longWorkBytes ? undefined : this.#turn;
  }

  readonly #turn = (): Promise<void> =>
    new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isBusy) return;
      this.#isBusy = true;
      setImmediate(this.#next);
    });

  readonly #next = (): void => {
    const begin = this.#waiting.shift();
    if (!begin) {
      this.#isBusy = false;
      return;
    }
    this.#startedMs = this.#clock.monotonicMs();
    begin();
    // The piece is done as soon as this turn ends.
    setImmediate(this.#rest);
  };

  readonly #rest = (): void => {
    const tookMs = this.#clock.monotonicMs() - this.#startedMs;
    this.#clock.after(Math.min(maxRestMs, tookMs * restPart), this.#next);
  };
}
