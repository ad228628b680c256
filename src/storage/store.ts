/** One live value. `revision` is the store revision of its last write; revisions strictly increase over the whole store. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface WriteRequest {
  readonly key: string;
  /** The new value; null deletes. */
  readonly value: Uint8Array | null;
  /**
   * Precondition on the newest state, durable or on its way: the revision the key must have, 0 = must not exist,
   * undefined = whatever it is. Otherwise the write rejects with RevisionConflict.
   */
  readonly expected?: number;
  /** Lazy tier: kept in memory, on disk at most `lazyFlushMs` later and at close. Such a write is acknowledged at once. */
  readonly lazy?: boolean;
}

/** A committed change, in revision order. `entry` is undefined for a delete; `revision` is that of the change itself. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly entry: Entry | undefined;
}

/**
 * Bytes, keys and revisions; nothing of Kubernetes. One contract suite runs against every implementation.
 * A write resolves only when it is durable (but for lazy ones); changes are delivered then, once, in revision order.
 */
export interface Store {
  /** Opens (or creates) the store; resolves when it can be used. */
  open(): Promise<void>;
  /** Flushes everything, the lazy tier too, and closes. */
  close(): Promise<void>;
  /** Every live entry in key order, and the revision of that state. Called once, at start. */
  loadAll(): Promise<{ revision: number; entries: Entry[] }>;
  /** The newest state of a key, durable or on its way. For read-modify-write only: never show it to a client. */
  newest(key: string): Entry | undefined;
  /**
   * Writes; resolves with the revision when durable. Writing the bytes that are there already changes nothing:
   * no disk write, no new revision, no change delivered; it resolves with the entry's own revision. So does deleting what is not there,
   * with the revision of the store. The bytes belong to the store afterwards and are what its readers get.
   * Rejects with RevisionConflict, DiskFull or StoreBusy.
   */
  write(request: WriteRequest): Promise<number>;
  /** Called for every change after `open`, in revision order, in the same turn in which the write resolves, before it resolves. */
  subscribe(listener: (change: Change) => void): () => void;
  /** The revision of the newest durable state. */
  readonly revision: number;
}

/** The precondition did not hold. `current` is the newest entry, undefined when the key does not exist. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  readonly key: string;
  readonly current: Entry | undefined;
  constructor(key: string, current: Entry | undefined) {
    super(`the key ${key} is at revision ${current?.revision ?? 0}`);
    this.key = key;
    this.current = current;
  }
}

/** The history needed to answer is gone; the reader must list again. */
export class Compacted extends Error {
  override readonly name = 'Compacted';
}

/** The disk is full: nothing of this write was kept, nothing acknowledged is lost, later writes may succeed again. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull';
}

/** Too many writes are waiting for the disk: nothing of this write was kept, try again later. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
  constructor() {
    super('too many writes are waiting for the disk, try again later');
  }
}
