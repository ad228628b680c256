import { CommitQueue } from './commit-queue.ts';
import type { Change, Entry, Store, WriteRequest } from './store.ts';

/** A store without a disk, for tests. Writes are on their way until the end of the microtask, as with a real one. */
export class MemoryStore implements Store {
  readonly #queue = new CommitQueue({ commit: (_batch, done) => done(), defer: queueMicrotask });

  open(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#queue.close(new Error('the store is closed'));
    return this.#queue.drain();
  }

  loadAll(): Promise<{ revision: number; entries: Entry[] }> {
    return Promise.resolve({ revision: this.#queue.revision, entries: this.#queue.entries() });
  }

  newest(key: string): Entry | undefined {
    return this.#queue.newest(key);
  }

  write(request: WriteRequest): Promise<number> {
    return this.#queue.write(request);
  }

  subscribe(listener: (change: Change) => void): () => void {
    return this.#queue.subscribe(listener);
  }

  get revision(): number {
    return this.#queue.revision;
  }
}
