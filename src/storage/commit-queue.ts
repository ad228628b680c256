import { type Change, DiskFull, type Entry, RevisionConflict, StoreBusy, type WriteRequest } from './store.ts';

/** Writes that may wait for the disk; the next one is refused with StoreBusy. */
const maxWaitingWrites = 20_000;

/** An accepted write on its way. */
export interface PendingWrite {
  readonly key: string;
  /** The revision of the change; for a write that changes nothing that of the state it confirms. */
  readonly revision: number;
  /** The new state of the key; undefined = deleted. */
  readonly entry: Entry | undefined;
  /** Lives in memory until the next lazy flush. */
  readonly lazy: boolean;
  /** It only waits for an earlier write of the same bytes. */
  readonly confirms: boolean;
}

/** DiskFull = nothing but the lazy writes was kept, and not even those with `lazyToo`; any other error ends the queue. */
export type CommitDone = (error?: Error, failure?: { lazyToo: boolean }) => void;

/** Makes a batch durable and calls back once, in this turn or in another. A batch may be empty of changes. */
export type Commit = (batch: readonly PendingWrite[], done: CommitDone) => void;

interface Queued extends PendingWrite {
  readonly previous: Entry | undefined;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The part of a store that does not depend on where the bytes go: the newest state, preconditions against it, revisions, batches, and the
 * delivery of changes in revision order. One batch is on its way at a time; what arrives meanwhile goes together in the next.
 */
export class CommitQueue {
  readonly #commit: Commit;
  readonly #defer: (run: () => void) => void;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #newest = new Map<string, Entry>();
  /** The last write on its way of each key. */
  readonly #pending = new Map<string, Queued>();
  #waiting: Queued[] = [];
  #inFlight: Queued[] = [];
  #busy = false;
  #nextRevision = 1;
  #delivered = 0;
  #closed: Error | undefined;
  #idleWaiters: (() => void)[] = [];

  /** `defer` decides how long a batch gathers: until the end of the turn, for instance. */
  constructor(options: { commit: Commit; defer: (run: () => void) => void }) {
    this.#commit = options.commit;
    this.#defer = options.defer;
  }

  /** The revision of the newest durable state. */
  get revision(): number {
    return this.#delivered;
  }

  /** The state at start. */
  load(state: { revision: number; entries: readonly Entry[] }): void {
    this.#delivered = state.revision;
    this.#nextRevision = state.revision + 1;
    for (const entry of state.entries) this.#newest.set(entry.key, entry);
  }

  newest(key: string): Entry | undefined {
    return this.#newest.get(key);
  }

  /** Every entry of the newest state, in key order. */
  entries(): Entry[] {
    return [...this.#newest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** See Store.write. */
  write(request: WriteRequest): Promise<number> {
    const { key, value, expected } = request;
    if (this.#closed) return Promise.reject(this.#closed);
    const previous = this.#newest.get(key);
    if (expected !== undefined && expected !== (previous?.revision ?? 0)) {
      return Promise.reject(new RevisionConflict(key, previous));
    }
    const before = this.#pending.get(key);
    const confirms = sameValue(previous, value);
    if (confirms && !before) return Promise.resolve(previous?.revision ?? this.#delivered);
    if (this.#waiting.length >= maxWaitingWrites) return Promise.reject(new StoreBusy());
    // A lazy write must not overtake a durable one of its key.
    const lazy = confirms ? before!.lazy : request.lazy === true && before?.lazy !== false;
    const revision = confirms ? before!.revision : this.#nextRevision++;
    const entry = confirms ? previous : value === null ? undefined : { key, value, revision };
    return new Promise((resolve, reject) => {
      this.#enqueue({ key, revision, entry, lazy, confirms, previous, resolve, reject });
    });
  }

  /** Has the implementation called once more, with an empty batch if need be; resolves when that is done. */
  kick(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const nothing = { key: '', revision: 0, entry: undefined, previous: undefined, lazy: true, confirms: true };
      this.#enqueue({ ...nothing, resolve: () => resolve(), reject });
    });
  }

  /** Refuses further writes with `error`; what is on its way goes on. */
  close(error: Error): void {
    this.#closed ??= error;
  }

  /** Resolves when nothing is on its way. */
  drain(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idleWaiters.push(resolve)) : Promise.resolve();
  }

  #enqueue(write: Queued): void {
    if (!write.confirms) {
      if (write.entry) this.#newest.set(write.key, write.entry);
      else this.#newest.delete(write.key);
      this.#pending.set(write.key, write);
    }
    this.#waiting.push(write);
    if (this.#busy) return;
    this.#busy = true;
    this.#defer(this.#start);
  }

  readonly #start = (): void => {
    this.#inFlight = this.#waiting;
    this.#waiting = [];
    if (this.#inFlight.length > 0) this.#commit(this.#inFlight, this.#finish);
    else this.#becomeIdle();
  };

  readonly #finish: CommitDone = (error, failure): void => {
    const batch = this.#inFlight;
    this.#inFlight = [];
    if (error) this.#fail(batch, error, failure?.lazyToo ?? false);
    else for (const write of batch) this.#deliver(write);
    if (this.#waiting.length > 0) this.#defer(this.#start);
    else this.#becomeIdle();
  };

  #becomeIdle(): void {
    this.#busy = false;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #deliver(write: Queued): void {
    const { key, revision, entry } = write;
    if (!write.confirms) {
      if (this.#pending.get(key) === write) this.#pending.delete(key);
      this.#delivered = revision;
      for (const listener of this.#listeners) listener({ key, revision, entry });
    }
    write.resolve(revision);
  }

  /**
   * The batch was not kept. Writes that wait behind it may build on it, so they fail as well, newest first; lazy ones only build on lazy ones
   * and stay. After anything but DiskFull nothing can be promised any more: all fails from then on.
   */
  #fail(batch: readonly Queued[], error: Error, lazyToo: boolean): void {
    const recoverable = error instanceof DiskFull;
    if (!recoverable) this.#closed = error;
    const isKept = (write: Queued): boolean => recoverable && write.lazy && (!lazyToo || write.confirms);
    const lost = [...batch, ...this.#waiting].filter((write) => !isKept(write));
    this.#waiting = this.#waiting.filter(isKept);
    for (const write of lost.toReversed()) this.#undo(write);
    for (const write of batch) if (isKept(write)) this.#deliver(write);
    for (const write of lost) write.reject(error);
  }

  #undo(write: Queued): void {
    if (write.confirms) return;
    if (this.#pending.get(write.key) === write) this.#pending.delete(write.key);
    if (write.previous) this.#newest.set(write.key, write.previous);
    else this.#newest.delete(write.key);
  }
}

function sameValue(entry: Entry | undefined, value: Uint8Array | null): boolean {
  if (!entry || value === null) return !entry && value === null;
  return entry.value.length === value.length && Buffer.compare(entry.value, value) === 0;
}
