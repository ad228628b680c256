import Database from 'better-sqlite3';

/** The file cannot be trusted. */
export class StateDamaged extends Error {
  override readonly name = 'StateDamaged';
}

/** A later version of this program wrote the file. */
export class NewerFormat extends Error {
  override readonly name = 'NewerFormat';
  constructor(version: number) {
    super(`its format is version ${version}`);
  }
}

/** What went wrong while opening, and what a person can do about it. */
export function explainOpenError(file: string, error: unknown): Error {
  const hint = hintFor(error);
  return new Error(`the cluster state in ${file} cannot be opened: ${hint}`, { cause: error });
}

function hintFor(error: unknown): string {
  if (error instanceof NewerFormat) return 'it was written by a newer version of skiff; install that version or a later one';
  if (error instanceof StateDamaged) return damaged;
  const code = error instanceof Database.SqliteError ? error.code : '';
  if (code === 'SQLITE_BUSY') return 'another process uses it; is a second skiff server running with this data directory?';
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damaged;
  if (code === 'SQLITE_FULL') return 'the disk is full; free some space and start again';
  return 'see the cause; check that the disk is healthy and the folder belongs to the user skiff runs as';
}

const damaged =
  'the file is damaged, which usually means a failing disk or SD card; keep a copy of it, put the last backup in its place ' +
  '(remove the file ending in -wal as well) and start again';

/** True when SQLite could not write for want of space. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_FULL';
}
