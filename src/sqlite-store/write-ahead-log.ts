import { fdatasync, fdatasyncSync, fstatSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { failpoint } from '../lib/failpoint.ts';
import { isDiskFull } from './open-errors.ts';
import type { StateDatabase } from './state-database.ts';

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

/**
 * The order in which bytes become durable. No step of it blocks the event loop on the disk: SQLite only moves bytes within the operating
 * system's page cache, the syncs run in the thread pool. The owner runs one of these operations at a time, and no transaction meanwhile.
 */
export class WriteAheadLog {
  readonly #database: StateDatabase;
  readonly #limitBytes: number;
  #nextCheckpointBytes: number;
  #held = 0;

  /** The log is emptied when it has grown past `limitBytes`. */
  constructor(database: StateDatabase, limitBytes: number) {
    this.#database = database;
    this.#limitBytes = limitBytes;
    this.#nextCheckpointBytes = limitBytes;
  }

  get sizeBytes(): number {
    return fstatSync(this.#database.walFd).size;
  }

  /** True when a checkpoint is due and allowed. */
  get isFull(): boolean {
    return this.#held === 0 && this.sizeBytes > this.#nextCheckpointBytes;
  }

  /** Makes all transactions so far durable. After an error nothing is known about what is on the disk. */
  sync(): Promise<void> {
    return fdatasyncAsync(this.#database.walFd);
  }

  /** `sync` for the hot path. */
  syncThen(done: (error: Error | null) => void): void {
    fdatasync(this.#database.walFd, done);
  }

  /**
   * Moves the synced log into the file and empties it. The log keeps its content until the file is durable, and no transaction starts before
   * the empty log is: an old frame that came back behind a new header would be taken for a change. Resolves with false, the log still there,
   * when the disk is full.
   */
  async checkpoint(): Promise<boolean> {
    failpoint('sqlite.checkpoint.before-copy');
    if (!this.#copy()) {
      this.#nextCheckpointBytes = this.sizeBytes + this.#limitBytes;
      return false;
    }
    await syncCopy(this.#database.fd);
    failpoint('sqlite.checkpoint.after-sync');
    this.#database.truncateLog();
    failpoint('sqlite.checkpoint.after-truncate');
    await fsyncAsync(this.#database.walFd);
    this.#nextCheckpointBytes = this.#limitBytes;
    return true;
  }

  /** No checkpoint becomes due until the returned function is called: the file does not change meanwhile. */
  hold(): () => void {
    this.#held++;
    return () => {
      this.#held--;
    };
  }

  #copy(): boolean {
    try {
      return this.#database.copyLog();
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
  }
}

/**
 * Makes the copy of the log durable. A process that exits without closing has SQLite remove a log it believes to be copied; until that is
 * true for the disk as well, exiting waits for the sync, and when the sync failed it leaves without SQLite noticing.
 */
async function syncCopy(fd: number): Promise<void> {
  let failed = false;
  const atExit = (): void => {
    try {
      if (failed) throw new Error('nothing is known about the disk');
      fdatasyncSync(fd);
    } catch {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  process.once('exit', atExit);
  failpoint('sqlite.checkpoint.after-copy');
  try {
    await fdatasyncAsync(fd);
  } catch (error) {
    failed = true;
    throw error;
  }
  process.removeListener('exit', atExit);
}
