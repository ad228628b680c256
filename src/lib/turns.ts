/** Work on less than this is done at once. */
const longWorkBytes = 128 * 1024;

/**
 * Work that takes long, cut into pieces by those who do it: of all such work together one piece is done per turn of the event loop, so that whatever
 * else comes waits for one piece, not for all the work of all.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** What to await before the next piece of work on so many bytes; undefined when nobody needs to wait for that. */
  forWorkOn(bytes: number): (() => Promise<void>) | undefined {
    return bytes < longWorkBytes ? undefined : this.#turn;
  }

  readonly #turn = (): Promise<void> =>
    new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#next);
    });

  readonly #next = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };
}
