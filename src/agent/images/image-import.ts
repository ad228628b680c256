import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/log.ts';
import { writeSecretFile } from '../../pki/secret-file.ts';
import type { Runtime } from '../../runtime/runtime.ts';

const recordFile = '.imported.json';

interface Imported {
  readonly size: number;
  readonly mtimeMs: number;
  readonly references: readonly string[];
}

/**
 * Imports the image archives (`*.tar`) a person put into `directory`, and pins their images. Archives imported before are skipped while
 * the runtime still has their images. A broken archive is reported and does not keep the node from starting.
 */
export async function importImages(directory: string, deps: { runtime: Runtime; log: Logger }): Promise<void> {
  const files = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.tar')).sort();
  if (files.length === 0) return;
  const record = await readRecord(join(directory, recordFile));
  let changed = false;
  for (const name of files) {
    const path = join(directory, name);
    const { size, mtimeMs } = await stat(path);
    const known = record[name];
    if (known?.size === size && known.mtimeMs === mtimeMs && (await hasAll(deps.runtime, known.references))) continue;
    try {
      const references = await deps.runtime.importImages(path);
      record[name] = { size, mtimeMs, references };
      changed = true;
      deps.log.info('images imported', { file: path, images: references.join(', ') });
    } catch (error) {
      deps.log.error('an image archive could not be imported; it must be a tar made by "docker save" or an OCI layout', {
        file: path,
        error,
      });
    }
  }
  if (changed) writeSecretFile(join(directory, recordFile), JSON.stringify(record));
}

async function readRecord(path: string): Promise<Record<string, Imported>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, Imported>;
  } catch {
    return {};
  }
}

async function hasAll(runtime: Runtime, references: readonly string[]): Promise<boolean> {
  for (const reference of references) if (!(await runtime.imageStatus(reference))) return false;
  return true;
}
