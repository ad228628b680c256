const maxSeconds = 32;

/** How long clients that are turned away are told to stay away: the more of them there are, the longer (apiserver: dropped_requests_tracker.go). */
export class RetryAfter {
  #seconds = 1;
  #raisedAt = Number.NEGATIVE_INFINITY;
  /** How many were turned away, by second; the latest last. */
  #history: { readonly second: number; count: number }[] = [];

  get seconds(): number {
    return this.#seconds;
  }

  /** Somebody has been turned away; `nowSeconds` never goes back. */
  note(nowSeconds: number): void {
    const second = Math.floor(nowSeconds);
    const latest = this.#history.at(-1);
    if (latest?.second === second) {
      latest.count++;
      return;
    }
    // Twice as long: after a raise that much is looked at.
    this.#history = this.#history.filter((each) => second - each.second <= 2 * this.#seconds);
    const lately = this.#history.filter((each) => second - each.second <= this.#seconds);
    this.#adjust(
      second,
      lately.reduce((sum, { count }) => sum + count, 0),
    );
    this.#history.push({ second, count: 1 });
  }

  /** Up by doubling, and not before the last raise could work; down in steps of a second. */
  #adjust(second: number, turnedAway: number): void {
    if (turnedAway >= 3 * this.#seconds && second - this.#raisedAt >= this.#seconds) {
      this.#seconds = Math.min(2 * this.#seconds, maxSeconds);
      this.#raisedAt = second;
    } else if (turnedAway < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
