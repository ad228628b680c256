/**
 * Brings the programs that scenario tests drive (containerd, runc, CNI plugins, busybox, a registry, an older kubectl) into .cache/test-bins:
 * `node test/support/fetch-test-binaries.ts`. Debian packages of pinned versions, verified by apt. Does nothing when they are there.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageRequest, unpackPackages } from '../../build/debian.ts';

const cacheFolder = '.cache/test-bins';

const packages: readonly (PackageRequest & { readonly files: Readonly<Record<string, string>> })[] = [
  {
    suite: 'trixie',
    arch: 'amd64',
    packages: { containerd: '1.7.24~ds1-6+deb13u1' },
    files: filesOf('usr/bin', 'containerd-1.7', ['containerd', 'containerd-shim-runc-v2']),
  },
  {
    suite: 'trixie',
    arch: 'amd64',
    packages: { kubectl: '1.32.3+ds-2*' },
    files: { 'kubectl-1.32': 'usr/bin/kubectl' },
  },
  {
    suite: 'bookworm',
    arch: 'amd64',
    packages: { containerd: '1.6.20~ds1-1+deb12u3' },
    files: filesOf('usr/bin', 'containerd-1.6', ['containerd', 'containerd-shim-runc-v2']),
  },
  {
    suite: 'bookworm',
    arch: 'amd64',
    packages: {
      runc: '1.1.5+ds1-1+deb12u1',
      libseccomp2: '2.5.4-1+deb12u1',
      'containernetworking-plugins': '1.1.1+ds1-3+b5',
      'busybox-static': '1:1.35.0-4+deb12u1+b1',
      'docker-registry': '2.8.2+ds1-1',
    },
    files: {
      'containerd-1.6/runc': 'usr/sbin/runc',
      'containerd-1.7/runc': 'usr/sbin/runc',
      'containerd-1.6/libseccomp.so.2': 'usr/lib/x86_64-linux-gnu/libseccomp.so.2',
      'containerd-1.7/libseccomp.so.2': 'usr/lib/x86_64-linux-gnu/libseccomp.so.2',
      ...filesOf('usr/lib/cni', 'cni', ['bridge', 'host-local', 'loopback']),
      busybox: 'bin/busybox',
      'docker-registry': 'usr/bin/docker-registry',
    },
  },
];

/** Downloads what is missing. Two runs at once do no harm: each file appears complete, by a rename. */
export function fetchTestBinaries(): string {
  for (const request of packages) {
    const missing = Object.keys(request.files).some((file) => !existsSync(join(cacheFolder, file)));
    if (missing) unpackInto(request);
  }
  return cacheFolder;
}

function unpackInto(request: (typeof packages)[number]): void {
  mkdirSync(cacheFolder, { recursive: true });
  const work = mkdtempSync(join(cacheFolder, 'unpack-'));
  try {
    unpackPackages(request, join(work, 'root'));
    for (const [target, source] of Object.entries(request.files)) {
      mkdirSync(join(cacheFolder, target, '..'), { recursive: true });
      const copy = join(work, 'copy');
      copyFileSync(join(work, 'root', source), copy);
      chmodSync(copy, 0o755);
      renameSync(copy, join(cacheFolder, target));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function filesOf(from: string, to: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [join(to, name), join(from, name)]));
}

// Not import.meta.main: bundled into other tests it would be theirs.
if (process.argv[1]?.endsWith('fetch-test-binaries.ts')) console.log(`test programs are in ${fetchTestBinaries()}`);
