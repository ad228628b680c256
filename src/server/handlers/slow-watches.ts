/** What one watch may have sent that its client has not taken. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** What all watches that lag may have, together. */
const maxTotalBytes = 64 * 1024 * 1024;
/** What all watches may have been sent of what was there when they began, and not taken: unlike events that is not shared by them. */
const maxInitialBytes = 64 * 1024 * 1024;
/** From here on a watch lags. */
const lagBytes = 256 * 1024;

/** How much may pile up for a client that is slow: less, the more of them there are. */
export class SlowWatches {
  readonly #lagging = new Set<object>();
  readonly #initial = new Map<object, { readonly bytes: number; readonly abort: () => void }>();
  #initialBytes = 0;

  /** True when the watch must end: its client goes on later from where it was. */
  isTooSlow(watch: object, bufferedBytes: number): boolean {
    if (bufferedBytes <= lagBytes) {
      this.#lagging.delete(watch);
      return false;
    }
    this.#lagging.add(watch);
    return bufferedBytes > Math.min(maxBufferedBytes, maxTotalBytes / this.#lagging.size);
  }

  /** Its client has yet to take so many bytes of what was there. When all together have too many, the watch that has most is aborted. */
  waitsFor(watch: object, bytes: number, abort: () => void): void {
    this.taken(watch);
    this.#initial.set(watch, { bytes, abort });
    this.#initialBytes += bytes;
    if (this.#initialBytes <= maxInitialBytes) return;
    const [most, { abort: abortMost }] = [...this.#initial].reduce((a, b) => (b[1].bytes > a[1].bytes ? b : a));
    this.taken(most);
    abortMost();
  }

  /** The client has what it was sent. */
  taken(watch: object): void {
    this.#initialBytes -= this.#initial.get(watch)?.bytes ?? 0;
    this.#initial.delete(watch);
  }

  /** The watch is over. */
  forget(watch: object): void {
    this.#lagging.delete(watch);
    this.taken(watch);
  }
}
