import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '../../api/generated/types.ts';

/**
 * Checks a hostPath against its type and creates what `…OrCreate` promises.
 * Rule: kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types.
 */
export async function prepareHostPath({ path, type }: HostPathVolumeSource): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  const expect = (matches: boolean | undefined, what: string): void => {
    if (!matches) throw new Error(`hostPath type check failed: ${path} is not a ${what}`);
  };
  switch (type ?? '') {
    case '':
      return path;
    case 'DirectoryOrCreate':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      else expect(found.isDirectory(), 'directory');
      return path;
    case 'Directory':
      expect(found?.isDirectory(), 'directory');
      return path;
    case 'FileOrCreate':
      if (!found) await (await open(path, 'a', 0o644)).close();
      else expect(found.isFile(), 'file');
      return path;
    case 'File':
      expect(found?.isFile(), 'file');
      return path;
    case 'Socket':
      expect(found?.isSocket(), 'socket');
      return path;
    case 'CharDevice':
      expect(found?.isCharacterDevice(), 'character device');
      return path;
    case 'BlockDevice':
      expect(found?.isBlockDevice(), 'block device');
      return path;
    default:
      throw new Error(`hostPath has an unknown type ${type}`);
  }
}
