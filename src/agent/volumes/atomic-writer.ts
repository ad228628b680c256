import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Payload } from './payload.ts';

const dataLink = '..data';
const dataLinkNew = '..data_tmp';

/**
 * Makes a directory hold exactly these files so that readers see either the old or the new set: files lie in a hidden directory to which
 * the link `..data` points, and the visible names are links through it. Writes nothing when the content is already there.
 * `gid` becomes the group of every file. Returns whether something was written.
 */
export async function writeAtomically(target: string, payload: Payload, gid?: number): Promise<boolean> {
  for (const path of payload.keys()) verifyPath(path);
  await mkdir(target, { recursive: true, mode: 0o755 });
  const current = await readlink(join(target, dataLink)).catch(() => undefined);
  if (current && (await holds(join(target, current), payload))) return false;
  const next = `..${new Date().toISOString().replace(/[-:T]/g, '_').slice(0, 19)}.${fingerprint(payload).slice(0, 9)}`;
  await rm(join(target, next), { recursive: true, force: true });
  await writeFiles(join(target, next), payload, gid);
  await rm(join(target, dataLinkNew), { force: true });
  await symlink(next, join(target, dataLinkNew));
  await rename(join(target, dataLinkNew), join(target, dataLink));
  await exposeNames(target, payload);
  for (const entry of await readdir(target))
    if (entry.startsWith('..2') && entry !== next) await rm(join(target, entry), { recursive: true, force: true });
  return true;
}

/** Equal payloads have equal fingerprints. */
export function fingerprint(payload: Payload): string {
  const hash = createHash('sha256');
  for (const [path, file] of [...payload].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${file.mode}\0${file.uid ?? ''}\0${file.data.length}\0`);
    hash.update(file.data);
  }
  return hash.digest('hex');
}

function verifyPath(path: string): void {
  const clean = normalize(path);
  if (path === '' || path.startsWith('/') || clean.startsWith('..') || clean !== path.replace(/\/$/, ''))
    throw new Error(`invalid path in volume: ${JSON.stringify(path)}`);
}

async function holds(directory: string, payload: Payload): Promise<boolean> {
  const present = await filesOf(directory, '').catch(() => undefined);
  if (!present || present.length !== payload.size) return false;
  for (const [path, file] of payload) {
    const full = join(directory, path);
    const stat = await lstat(full).catch(() => undefined);
    if (!stat || (stat.mode & 0o777) !== (file.mode & 0o777) || stat.size !== file.data.length) return false;
    if (!(await readFile(full)).equals(file.data)) return false;
  }
  return true;
}

async function filesOf(root: string, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) found.push(...(await filesOf(root, path)));
    else found.push(path);
  }
  return found;
}

async function writeFiles(directory: string, payload: Payload, gid: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o755 });
  await chmod(directory, 0o755);
  for (const [path, file] of payload) {
    const full = join(directory, path);
    await mkdir(dirname(full), { recursive: true, mode: 0o755 });
    await writeFile(full, file.data, { mode: file.mode });
    // The umask does not apply to what the user asked for.
    await chmod(full, gid === undefined ? file.mode : file.mode | 0o440);
    if (gid !== undefined || file.uid !== undefined) await chown(full, file.uid ?? -1, gid ?? -1);
  }
}

async function exposeNames(target: string, payload: Payload): Promise<void> {
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0]!));
  for (const name of names) {
    const link = join(dataLink, name);
    if ((await readlink(join(target, name)).catch(() => undefined)) === link) continue;
    await rm(join(target, name), { recursive: true, force: true });
    await symlink(link, join(target, name));
  }
  for (const entry of await readdir(target))
    if (!entry.startsWith('..') && !names.has(entry)) await unlink(join(target, entry)).catch(() => {});
}
