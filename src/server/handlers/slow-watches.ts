/** What one watch may have sent that its client has not taken. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** What all watches that lag may have, together. */
const maxTotalBytes = 64 * 1024 * 1024;
/** From here on a watch lags. */
const lagBytes = 256 * 1024;

/** How much may pile up for a client that is slow: less, the more of them there are. */
export class SlowWatches {
  readonly #lagging = new Set<object>();

  /** True when the watch must end: its client goes on later from where it was. */
  isTooSlow(watch: object, bufferedBytes: number): boolean {
    if (bufferedBytes <= lagBytes) {
      this.#lagging.delete(watch);
      return false;
    }
    this.#lagging.add(watch);
    return bufferedBytes > Math.min(maxBufferedBytes, maxTotalBytes / this.#lagging.size);
  }

  /** The watch is over. */
  forget(watch: object): void {
    this.#lagging.delete(watch);
  }
}
