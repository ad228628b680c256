import { closeSync, constants, fsyncSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { failpoint } from '../lib/failpoint.ts';
import type { Entry } from '../storage/store.ts';
import { explainOpenError, NewerFormat, StateDamaged } from './open-errors.ts';

/** `PRAGMA application_id`: "SKIF". */
const applicationId = 0x534b4946;
const formatVersion = 1;
/** Pages SQLite keeps in memory. It only writes: what is read is in the watch cache. */
const pageCacheKib = 1024;
/** What SQLite writes of a page into the log, and its own bytes before it. */
const frameBytes = 4096 + 24;
/** Pages that a row changes: a leaf of the table and one of the index. */
const pagesOfRow = 2;
/** A log larger than this gives the rest back when it begins anew. It got there while the disk was full, or with a very large transaction. */
const maxIdleLogBytes = 8 * 1024 * 1024;
/** How long to wait for the process that has the file open, in case it is about to end. */
const defaultLockTimeoutMs = 3000;

const schema = `
  create table entry (key text not null unique, revision integer not null, value blob not null) strict;
  create table meta (name text not null primary key, value integer not null) strict, without rowid;
  pragma application_id = ${applicationId};
  pragma user_version = ${formatVersion};
`;

export interface Row {
  readonly key: string;
  /** undefined = the row goes. */
  readonly entry: Entry | undefined;
}

/** `revision-limit`: no revision above it was ever given out. `revision-skip`: jump that far ahead at the next open. */
export type MetaName = 'revision-limit' | 'revision-skip';

/**
 * The SQLite file: one row per live object, and its write-ahead log. While it is open SQLite neither syncs nor checkpoints by itself: the
 * owner does both in the right order, the syncs in the thread pool (see DESIGN.md beside this file). SQLite's own syncs are on
 * (synchronous=NORMAL) for the one case the owner cannot order: a process that exits without closing. The file is locked: a second process
 * cannot open it.
 */
export class StateDatabase {
  /**
   * For syncs and backups. Opened before SQLite opens the file and closed after it: closing any descriptor of a file drops all locks the
   * process holds on it.
   */
  readonly fd: number;
  readonly walFd: number;
  readonly #db: Database.Database;
  readonly #upsert: Database.Statement<[string, number, Uint8Array]>;
  readonly #delete: Database.Statement<[string]>;
  readonly #setMeta: Database.Statement<[string, number]>;
  readonly #begin: Database.Statement<[]>;
  readonly #commit: Database.Statement<[]>;
  readonly #logState: Database.Statement<[], { log: number; checkpointed: number }>;
  #logBeginsAnew = false;
  #writtenBytes = 0;

  /** `nativeBinding` is better-sqlite3's loaded binding or its file; by default the package's own. */
  constructor(options: { file: string; nativeBinding?: string | object; lockTimeoutMs?: number }) {
    const { file, lockTimeoutMs = defaultLockTimeoutMs } = options;
    this.fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
    let db: Database.Database | undefined;
    try {
      const binding = options.nativeBinding as string | undefined;
      db = new Database(file, { timeout: lockTimeoutMs, ...(binding === undefined ? {} : { nativeBinding: binding }) });
      prepareFile(db);
      this.#db = db;
      this.#upsert = this.#db.prepare(
        `insert into entry (key, revision, value) values (?, ?, ?)
         on conflict (key) do update set revision = excluded.revision, value = excluded.value`,
      );
      // The cast spares SQLite from preparing the statement again at every bind.
      this.#delete = this.#db.prepare('delete from entry where key = cast(? as text)');
      this.#setMeta = this.#db.prepare(
        'insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
      );
      this.#begin = this.#db.prepare('begin immediate');
      this.#commit = this.#db.prepare('commit');
      this.#logState = this.#db.prepare('pragma wal_checkpoint(noop)');
      // Its first write makes the log exist.
      this.write([], { 'revision-skip': this.meta('revision-skip') });
      this.walFd = openSync(`${file}-wal`, constants.O_RDWR);
      syncFolder(dirname(file));
    } catch (error) {
      db?.close();
      closeSync(this.fd);
      throw explainOpenError(file, error);
    }
  }

  /** 0 when it was never set. */
  meta(name: MetaName): number {
    const value = this.#db.prepare<[string], number>('select value from meta where name = cast(? as text)').pluck().get(name);
    return value ?? 0;
  }

  readAll(): Entry[] {
    return this.#db.prepare<[], Entry>('select key, revision, value from entry order by key').all();
  }

  /** One transaction, into the page cache of the operating system: it is durable only after a sync of `walFd`. Throws SqliteError. */
  write(rows: readonly Row[], meta: Partial<Record<MetaName, number>>): void {
    this.#begin.run();
    try {
      for (const { key, entry } of rows) {
        if (entry) this.#upsert.run(key, entry.revision, entry.value);
        else this.#delete.run(key);
        this.#writtenBytes += pagesOfRow * frameBytes + (entry?.value.length ?? 0);
      }
      for (const [name, value] of Object.entries(meta)) this.#setMeta.run(name, value);
      failpoint('sqlite.before-commit');
      this.#commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('rollback');
      throw error;
    }
    if (this.#logBeginsAnew && this.logBytes > 0) this.#logBegan();
  }

  /** About what all transactions so far have added to the log. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** What the log holds that is not in the file yet. The log's own file is larger: SQLite begins at its start again and overwrites it. */
  get logBytes(): number {
    const { log, checkpointed } = this.#logState.get() ?? { log: 0, checkpointed: 0 };
    return log === checkpointed ? 0 : log * frameBytes;
  }

  /** Copies the log into the file, which is durable only after a sync of `fd`. The log must be synced before. False: it was not possible. */
  copyLog(): boolean {
    this.#syncBySqlite(false);
    try {
      const [result] = this.#db.pragma('wal_checkpoint(passive)') as [{ busy: number; log: number; checkpointed: number }];
      return result.busy === 0 && result.log === result.checkpointed;
    } finally {
      this.#syncBySqlite(true);
    }
  }

  /**
   * The next transaction begins the log at its start, without the sync SQLite would do there: the content of the log must be in the file, the
   * file synced, and the log cleared by its owner.
   */
  beginLogAnew(): void {
    this.#syncBySqlite(false);
    this.#logBeginsAnew = true;
  }

  /** What stands behind a cleared header is not found after a crash, so it must not be acknowledged. */
  #logBegan(): void {
    this.#syncBySqlite(true);
    this.#logBeginsAnew = false;
    const magic = Buffer.alloc(4);
    readSync(this.walFd, magic, 0, magic.length, 0);
    if (magic.readUInt32BE() === 0) throw new Error('SQLite did not begin its log anew');
  }

  #syncBySqlite(on: boolean): void {
    this.#db.pragma(`synchronous = ${on ? 'normal' : 'off'}`);
  }

  close(): void {
    this.#db.close();
    closeSync(this.walFd);
    closeSync(this.fd);
  }
}

function prepareFile(db: Database.Database): void {
  db.pragma('locking_mode = exclusive');
  db.pragma('journal_mode = wal');
  db.pragma('synchronous = normal');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`journal_size_limit = ${maxIdleLogBytes}`);
  db.pragma(`cache_size = -${pageCacheKib}`);
  db.pragma('temp_store = memory');
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > formatVersion) throw new NewerFormat(version);
  if (version === 0) return void db.transaction(() => db.exec(schema))();
  if (db.pragma('application_id', { simple: true }) !== applicationId) throw new StateDamaged('it belongs to another program');
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new StateDamaged(String(found));
}

/** Makes the names of new files durable. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
