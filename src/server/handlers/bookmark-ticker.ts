import type { Clock } from '../../lib/clock.ts';

/** apiserver: pkg/storage/cacher/cacher.go defaultBookmarkFrequency. */
const intervalMs = 60_000;

/** Tells watches once a minute how far they are: one timer for all of them, which runs while there are any. */
export class BookmarkTicker {
  readonly #clock: Clock;
  readonly #watches = new Set<() => void>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `tick` must not throw. Returns the function that ends it. */
  add(tick: () => void): () => void {
    this.#watches.add(tick);
    this.#cancel ??= this.#clock.after(intervalMs, this.#tick);
    return () => {
      this.#watches.delete(tick);
      if (this.#watches.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
    };
  }

  readonly #tick = (): void => {
    this.#cancel = this.#clock.after(intervalMs, this.#tick);
    for (const tick of this.#watches) tick();
  };
}
