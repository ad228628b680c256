import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Node has no mkfifo(): a program makes this many at a time. */
const batchSize = 24;

/** Named pipes for the streams of commands; each is used once and then deleted. */
export class FifoStock {
  readonly #folder: string;
  #free: string[] = [];
  #made = 0;
  #refill: Promise<void> | undefined;

  /** `folder` belongs to the stock: what a former process left in it is deleted. It should be on a tmpfs. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    await this.stop();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  async stop(): Promise<void> {
    this.#free = [];
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Paths of `count` (at most 3) fresh pipes. The caller deletes them. */
  async take(count: number): Promise<string[]> {
    while (this.#free.length < count) await (this.#refill ??= this.#make());
    return this.#free.splice(0, count);
  }

  async #make(): Promise<void> {
    try {
      const paths = Array.from({ length: batchSize }, () => join(this.#folder, String(this.#made++)));
      await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
      this.#free.push(...paths);
    } catch (cause) {
      throw new Error(`making named pipes in ${this.#folder}`, { cause });
    } finally {
      this.#refill = undefined;
    }
  }
}
