import { lstat, mkdir, open, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mounter } from './mounter.ts';

/**
 * Makes `subPath` of a volume available at `target` as a bind mount of exactly the file or directory that was checked: a container that
 * swaps it for a symlink afterwards cannot lead the mount out of the volume. Missing directories are created with the volume's mode.
 * Throws when the path leaves the volume.
 */
export async function bindSubPath(
  mounter: Mounter,
  { volume, subPath, target }: { volume: string; subPath: string; target: string },
): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw new Error(`subPath ${subPath} must stay inside the volume`);
  if ((await mounter.mountsBelow(target)).includes(target)) return target;
  const root = await realpath(volume);
  const path = await ensure(root, subPath);
  const handle = await open(path, 'r');
  try {
    const actual = await readlink(`/proc/self/fd/${handle.fd}`);
    if (actual !== root && !actual.startsWith(`${root}/`)) throw new Error(`subPath ${subPath} leads out of the volume`);
    if ((await handle.stat()).isDirectory()) await mkdir(target, { recursive: true });
    else {
      await mkdir(join(target, '..'), { recursive: true });
      await (await open(target, 'a')).close();
    }
    await mounter.bind(`/proc/${process.pid}/fd/${handle.fd}`, target);
    return target;
  } finally {
    await handle.close();
  }
}

async function ensure(root: string, subPath: string): Promise<string> {
  const { mode } = await stat(root);
  let current = root;
  for (const part of subPath.split('/').filter((p) => p !== '' && p !== '.')) {
    const next = join(current, part);
    const found = await lstat(next).catch(() => undefined);
    if (!found) await mkdir(next, { mode: mode & 0o7777 });
    current = await realpath(next);
    if (current !== root && !current.startsWith(`${root}/`)) throw new Error(`subPath ${subPath} leads out of the volume`);
  }
  return current;
}
