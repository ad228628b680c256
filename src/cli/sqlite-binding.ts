import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sea from 'node:sea';
import { readAsset } from '../lib/assets.ts';

/**
 * better-sqlite3's native module, which the executable carries and a shared library must be a file: written once per version below `parent`, then
 * loaded. Undefined when running from source, where the package finds its own.
 */
export function sqliteBinding(parent: string): object | undefined {
  if (!sea.isSea()) return undefined;
  const bytes = readAsset('better_sqlite3.node');
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = join(parent, `better-sqlite3-${version}.node`);
  if (!existsSync(file)) {
    mkdirSync(parent, { recursive: true, mode: 0o755 });
    // On the disk before it gets its name: half a library would crash every later start.
    writeFileSync(`${file}.new`, bytes, { mode: 0o700, flush: true });
    renameSync(`${file}.new`, file);
  }
  const loaded = { exports: {} };
  process.dlopen(loaded as NodeJS.Module, file);
  return loaded.exports;
}
