import { readFileSync } from 'node:fs';
import type { DebianArch, PinnedPackage } from '../debian.ts';

/** A Debian package that Skiff carries, and the files it takes from it. `{triplet}` is the architecture's library folder. */
export interface BundledPackage {
  readonly suite: string;
  readonly package: string;
  /** Path inside the package → name in the bundle. */
  readonly files: Readonly<Record<string, string>>;
  /** Which archive inside the executable: `node` is unpacked by the first start, `kubectl` by the first use. */
  readonly archive: 'node' | 'kubectl';
  readonly licence: string;
  /** Debian's source package, where it has another name. */
  readonly source?: string;
}

/** containerd 1.7 of trixie needs only glibc 2.34, so one bundle serves Debian 12, 13 and Raspberry Pi OS; runc needs libseccomp beside it. */
export const bundledPackages: readonly BundledPackage[] = [
  {
    suite: 'trixie',
    package: 'containerd',
    files: { 'usr/bin/containerd': 'containerd', 'usr/bin/containerd-shim-runc-v2': 'containerd-shim-runc-v2' },
    archive: 'node',
    licence: 'Apache-2.0',
  },
  { suite: 'bookworm', package: 'runc', files: { 'usr/sbin/runc': 'runc' }, archive: 'node', licence: 'Apache-2.0' },
  {
    suite: 'bookworm',
    package: 'libseccomp2',
    source: 'libseccomp',
    files: { 'usr/lib/{triplet}/libseccomp.so.2': 'libseccomp.so.2' },
    archive: 'node',
    licence: 'LGPL-2.1',
  },
  {
    suite: 'bookworm',
    package: 'containernetworking-plugins',
    source: 'golang-github-containernetworking-plugins',
    files: {
      'usr/lib/cni/bridge': 'cni/bridge',
      'usr/lib/cni/host-local': 'cni/host-local',
      'usr/lib/cni/loopback': 'cni/loopback',
    },
    archive: 'node',
    licence: 'Apache-2.0',
  },
  {
    suite: 'sid',
    package: 'kubectl',
    source: 'kubernetes',
    files: { 'usr/bin/kubectl': 'kubectl' },
    archive: 'kubectl',
    licence: 'Apache-2.0',
  },
];

export const lockFile = 'build/bundled/lock.json';

/** The pins of every bundled package, per architecture. */
export type Lock = Readonly<Record<DebianArch, readonly PinnedPackage[]>>;

export function readLock(): Lock {
  return JSON.parse(readFileSync(lockFile, 'utf8')) as Lock;
}

export const triplets: Readonly<Record<DebianArch, string>> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
