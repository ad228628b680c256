import { assert } from '../lib/assert.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { failpoint } from '../lib/failpoint.ts';
import type { Logger } from '../lib/log.ts';
import { type CommitDone, CommitQueue, type PendingWrite } from '../storage/commit-queue.ts';
import { type Change, DiskFull, type Entry, type Store, type WriteRequest } from '../storage/store.ts';
import { copyFileFrom } from './backup.ts';
import { isDiskFull } from './open-errors.ts';
import { StateDatabase } from './state-database.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** Lazy writes reach the disk at most this much later… */
const defaultLazyFlushMs = 5 * 60_000;
/** …or when this many keys wait. */
const maxDirtyKeys = 10_000;
/** The log is emptied when it is larger than this. It bounds the time of a checkpoint and of a start after a crash. */
const defaultLogLimitBytes = 4 * 1024 * 1024;
/** Revisions are reserved in blocks of this size: a crash skips the rest of the block, and no revision is given out twice. */
const revisionBlock = 10_000;
/** Revisions a restored backup jumps ahead, past all that were given out after it was made. */
const restoreSkip = 1_000_000_000;

export interface SqliteStoreOptions {
  /** The database file; its folder exists. Beside it there is a file ending in `-wal`. */
  readonly file: string;
  readonly log: Logger;
  /** The disk failed in a way after which nothing can be promised: the process must end, and start again from the file. */
  readonly onFatal: (error: Error) => void;
  /** better-sqlite3's loaded binding or its file, where the package cannot find it by itself. */
  readonly nativeBinding?: string | object;
  /** How long `open` waits, blocking, for another process to leave the file. */
  readonly lockTimeoutMs?: number;
  readonly clock?: Clock;
  readonly lazyFlushMs?: number;
  readonly logLimitBytes?: number;
}

/** What is there while the store is open. */
interface Disk {
  readonly database: StateDatabase;
  readonly wal: WriteAheadLog;
}

/**
 * The embedded store: one SQLite file, group commit that never blocks the event loop on the disk. DESIGN.md beside this file says how, and
 * why that is safe.
 */
export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  readonly #clock: Clock;
  readonly #lazyFlushMs: number;
  readonly #queue: CommitQueue;
  #disk: Disk | undefined;
  /** Revisions below it may be shown; for others a higher limit must become durable first. After a crash revisions start there. */
  #revisionLimit = 0;
  /** Lazy writes that are not on the disk yet. */
  readonly #dirty = new Map<string, Entry | undefined>();
  #cancelFlush: (() => void) | undefined;
  #flushing = false;
  #failed = false;
  /** Work that needs the disk for itself; done before the next batch. */
  #tasks: (() => Promise<void>)[] = [];
  /** Backups, one after the other. */
  #backup: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#lazyFlushMs = options.lazyFlushMs ?? defaultLazyFlushMs;
    this.#queue = new CommitQueue({ commit: (batch, done) => this.#commit(batch, done), defer: setImmediate });
  }

  /** Rejects with what is wrong and what to do about it: damaged, locked by another process, disk full. */
  async open(): Promise<void> {
    const { file, logLimitBytes = defaultLogLimitBytes } = this.#options;
    const database = new StateDatabase(this.#options);
    try {
      const wal = new WriteAheadLog(database, logLimitBytes);
      const revision = database.meta('revision-limit') + database.meta('revision-skip');
      this.#revisionLimit = revision + revisionBlock;
      database.write([], { 'revision-limit': this.#revisionLimit, 'revision-skip': 0 });
      // What an earlier process wrote but did not sync is about to be read, and then shown: first make it durable.
      await wal.sync();
      if (wal.isFull) await wal.checkpoint();
      this.#queue.load({ revision, entries: database.readAll() });
      this.#disk = { database, wal };
    } catch (error) {
      database.close();
      throw new Error(`starting with the cluster state in ${file}`, { cause: error });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
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

  /**
   * Writes a complete copy of the state, lazy tier included, to `file`, replacing it, while the store goes on. A store opened from the copy
   * starts with revisions that were never given out. Rejects with DiskFull when there is no room to complete the database file.
   */
  backup(file: string): Promise<void> {
    const backup = this.#backup.then(() => this.#copyTo(file));
    // The next backup waits for this one's end, its caller hears how it went.
    this.#backup = backup.catch(() => {});
    return backup;
  }

  async #copyTo(file: string): Promise<void> {
    const { database, wal } = this.#opened();
    const release = wal.hold();
    try {
      await this.#alone(async () => {
        await this.#flushDirty({ 'revision-skip': restoreSkip });
        const copied = await wal.checkpoint();
        // From here on the database file stands still; what is written goes to the log.
        database.write([], { 'revision-skip': 0 });
        if (!copied) throw new DiskFull(`there is no room to complete ${this.#options.file}, free some space and try again`);
      });
      await copyFileFrom(database.fd, file);
    } finally {
      release();
    }
  }

  async #close(): Promise<void> {
    if (!this.#disk) return;
    const { database, wal } = this.#disk;
    await this.#backup;
    this.#queue.close(new Error('the store is closed'));
    await this.#queue.drain();
    this.#cancelFlush?.();
    // Closing would have SQLite tidy up files about which nothing is known any more.
    if (this.#failed) return;
    try {
      await this.#flushDirty({ 'revision-limit': this.#queue.revision });
      // SQLite removes the log when it closes, without a sync: it must be empty by then.
      await wal.checkpoint();
    } finally {
      database.close();
      this.#disk = undefined;
    }
  }

  #opened(): Disk {
    assert(this.#disk, 'the store is open');
    return this.#disk;
  }

  /** The commit of the queue: one batch at a time, answered when it is durable. */
  #commit(batch: readonly PendingWrite[], done: CommitDone): void {
    if (this.#tasks.length === 0 && !this.#opened().wal.isFull) this.#writeBatch(batch, done);
    else {
      this.#doTasks().then(
        () => this.#writeBatch(batch, done),
        (error: unknown) => this.#die(error, done),
      );
    }
  }

  #writeBatch(batch: readonly PendingWrite[], done: CommitDone): void {
    const { database, wal } = this.#opened();
    const changes = batch.filter((write) => !write.confirms);
    const durable = changes.filter((write) => !write.lazy);
    const last = changes.at(-1)?.revision ?? 0;
    const limit = last > this.#revisionLimit - revisionBlock / 2 ? last + revisionBlock : this.#revisionLimit;
    if (durable.length === 0 && limit === this.#revisionLimit) {
      this.#markDirty(changes);
      done();
      return;
    }
    try {
      database.write(durable, limit === this.#revisionLimit ? {} : { 'revision-limit': limit });
    } catch (error) {
      this.#refuse(changes, error, done);
      return;
    }
    failpoint('sqlite.before-sync');
    wal.syncThen((error) => {
      if (error) {
        this.#die(error, done);
        return;
      }
      failpoint('sqlite.after-sync');
      this.#revisionLimit = limit;
      this.#markDirty(changes);
      done();
    });
  }

  /** The transaction was not made. Lazy writes stay good as long as their revisions are below the limit on the disk. */
  #refuse(changes: readonly PendingWrite[], error: unknown, done: CommitDone): void {
    if (!isDiskFull(error)) {
      this.#die(error, done);
      return;
    }
    const lazyToo = changes.some((write) => write.lazy && write.revision >= this.#revisionLimit);
    if (!lazyToo) this.#markDirty(changes.filter((write) => write.lazy));
    done(diskFull(error), { lazyToo });
  }

  /** Never retry a sync: the system may have dropped the bytes and report success the next time. */
  #die(cause: unknown, done: CommitDone): void {
    const error = new Error(`the disk with ${this.#options.file} failed; check it before you start skiff again`, { cause });
    this.#cancelFlush?.();
    this.#failed = true;
    done(error);
    this.#options.onFatal(error);
  }

  /** Runs `task` when no batch is on its way, and no batch before it has ended. */
  #alone(task: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() =>
        task().then(resolve, (error: unknown) => {
          reject(error);
          if (!(error instanceof DiskFull)) throw error;
        }),
      );
      this.#queue.kick().catch(reject);
    });
  }

  async #doTasks(): Promise<void> {
    for (const task of this.#tasks.splice(0)) await task();
    const { wal } = this.#opened();
    if (wal.isFull && !(await wal.checkpoint())) {
      this.#options.log.warn('the disk is full, the write-ahead log keeps growing', { file: this.#options.file });
    }
  }

  /** Lazy changes wait for the next flush, durable ones make an older lazy one of their key obsolete. */
  #markDirty(changes: readonly PendingWrite[]): void {
    for (const write of changes) {
      if (write.lazy) this.#dirty.set(write.key, write.entry);
      else this.#dirty.delete(write.key);
    }
    if (this.#dirty.size === 0) return;
    if (this.#dirty.size <= maxDirtyKeys) this.#cancelFlush ??= this.#clock.after(this.#lazyFlushMs, () => this.#flush());
    else if (!this.#flushing) this.#flush();
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#flushing = true;
    const flushed = this.#alone(() => this.#flushDirty({})).catch((error: unknown) => {
      // Everything else has ended the store already.
      if (error instanceof DiskFull) this.#options.log.warn('the disk is full, events and leases are kept in memory', { error });
    });
    void flushed.then(() => {
      this.#flushing = false;
      this.#cancelFlush = undefined;
      this.#markDirty([]);
    });
  }

  /** Puts the lazy tier and `meta` on the disk. Rejects with DiskFull when there is no room; nothing has changed then. */
  async #flushDirty(meta: Parameters<StateDatabase['write']>[1]): Promise<void> {
    const { database, wal } = this.#opened();
    failpoint('sqlite.before-flush');
    const rows = Array.from(this.#dirty, ([key, entry]) => ({ key, entry }));
    try {
      database.write(rows, meta);
    } catch (error) {
      throw isDiskFull(error) ? diskFull(error) : error;
    }
    await wal.sync();
    this.#dirty.clear();
  }
}

function diskFull(cause: unknown): DiskFull {
  const error = new DiskFull('no space is left on the disk that holds the cluster state');
  error.cause = cause;
  return error;
}
