import { fdatasync, fdatasyncSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { failpoint } from '../lib/failpoint.ts';
import { isDiskFull } from './open-errors.ts';
import type { StateDatabase } from './state-database.ts';

const fdatasyncAsync = promisify(fdatasync);
const writeAsync = promisify(write);
/** In place of its header: SQLite finds nothing in such a log. */
const noHeader = Buffer.alloc(32);
/** How often the size of the log is looked at, at least, until it is full. */
const looksPerLog = 16;

/**
 * The order in which bytes become durable. No step of it blocks the event loop on the disk: SQLite only moves bytes within the operating
 * system's page cache, the syncs run in the thread pool. The owner runs one of these operations at a time, and no transaction meanwhile.
 */
export class WriteAheadLog {
  readonly #database: StateDatabase;
  readonly #limitBytes: number;
  #nextCheckpointBytes: number;
  /** When this much has been written the size of the log is asked for again. */
  #nextLookBytes = 0;
  #held = 0;

  /** A checkpoint is due when the log holds more than `limitBytes`. */
  constructor(database: StateDatabase, limitBytes: number) {
    this.#database = database;
    this.#limitBytes = limitBytes;
    this.#nextCheckpointBytes = limitBytes;
  }

  /** True when a checkpoint is due and allowed. SQLite is not asked for each transaction: that costs a tenth of one that writes few rows. */
  get isFull(): boolean {
    const { writtenBytes } = this.#database;
    if (this.#held > 0 || writtenBytes < this.#nextLookBytes) return false;
    const isFull = this.#database.logBytes > this.#nextCheckpointBytes;
    if (!isFull) this.#nextLookBytes = writtenBytes + this.#limitBytes / looksPerLog;
    return isFull;
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
   * Moves the synced log into the file and has it begin anew, in the space it has: to sync what a file already holds is half the work of
   * syncing a file that grows. The log keeps its content until the file is durable, and no transaction starts before the old header is off the
   * disk: behind it, a crash would find new pages mixed with old ones. Resolves with false, the log still there, when the disk is full.
   */
  async checkpoint(): Promise<boolean> {
    failpoint('sqlite.checkpoint.before-copy');
    if (!this.#copy()) return this.#putOff();
    await syncCopy(this.#database.fd);
    failpoint('sqlite.checkpoint.after-sync');
    if (!(await this.#clear())) return this.#putOff();
    failpoint('sqlite.checkpoint.after-clear');
    await this.sync();
    this.#database.beginLogAnew();
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

  #putOff(): false {
    this.#nextCheckpointBytes = this.#database.logBytes + this.#limitBytes;
    return false;
  }

  /** Some filesystems need room to overwrite. Left as it is, SQLite begins the log anew by itself, with a sync in the event loop. */
  async #clear(): Promise<boolean> {
    try {
      await writeAsync(this.#database.walFd, noHeader, 0, noHeader.length, 0);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
      throw error;
    }
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
