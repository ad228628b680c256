import { copyFile, open, stat, truncate } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';

/** With the former file at most twice this. */
const maxLogBytes = 2 * 1024 * 1024;
const checkMs = 5 * 60_000;
const tailBytes = 2000;

/**
 * Keeps a log file, which another process appends to, from growing without end: now and then it is copied to `<file>.1` and emptied.
 * Lines written between the two are lost.
 */
export class BoundedLog {
  readonly #file: string;
  readonly #clock: Clock;
  #cancelTimer: () => void = () => {};

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    await this.#rotateWhenLarge();
    this.#arm();
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** The last lines, for an error message. */
  async tail(): Promise<string> {
    try {
      const file = await open(this.#file);
      try {
        const { size } = await file.stat();
        const length = Math.min(size, tailBytes);
        const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
        return buffer.toString('utf8').trim();
      } finally {
        await file.close();
      }
    } catch {
      return '';
    }
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.after(checkMs, () => {
      // A log that cannot be looked after now may be next time.
      this.#rotateWhenLarge().then(
        () => this.#arm(),
        () => this.#arm(),
      );
    });
  }

  async #rotateWhenLarge(): Promise<void> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    if (size <= maxLogBytes) return;
    await copyFile(this.#file, `${this.#file}.1`);
    await truncate(this.#file, 0);
  }
}
