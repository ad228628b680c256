/** Listeners for an end that comes once. */
export class Closers {
  readonly #listeners: (() => void)[] = [];
  #closed = false;

  /** `listener` is called at the end, or at once when that has been. */
  add(listener: () => void): void {
    if (this.#closed) listener();
    else this.#listeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener();
  }
}
