import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPackages, readLock, triplets } from '../../build/bundled/packages.ts';
import { type DebianArch, downloadPinned, unpackDeb } from '../../build/debian.ts';

/** SHA-256 of every file an archive of the executable must hold (name in the archive → hex), taken from the Debian packages themselves. */
export function bundledFileHashes(archive: 'node' | 'kubectl', arch: DebianArch): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-bundled-'));
  try {
    const hashes: Record<string, string> = {};
    for (const bundled of bundledPackages.filter((p) => p.archive === archive)) {
      const pins = readLock()[arch].filter((p) => p.package === bundled.package);
      const root = join(folder, bundled.package);
      unpackDeb(downloadPinned(bundled.suite, arch, pins).get(bundled.package)!, root);
      for (const [path, name] of Object.entries(bundled.files))
        hashes[name] = sha256Of(join(root, path.replace('{triplet}', triplets[arch])));
    }
    return hashes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lower-case hex. */
export function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
