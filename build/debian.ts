import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type DebianArch = 'amd64' | 'arm64';

/** Installs the Debian packages that are missing on this machine. Needs root when something is missing. */
export function ensureInstalled(packages: readonly string[]): void {
  const missing = packages.filter((name) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own notation
    const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
    return !query.stdout?.includes('ok installed');
  });
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update', '-q'], { stdio: 'ignore', env });
  execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
}

/** A package of any suite and architecture, pinned. */
export interface PinnedPackage {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
}

/** Where downloaded packages are kept between builds, by content. */
const cacheFolder = '.cache/debs';

/**
 * Downloads pinned packages of one suite and architecture, without touching this machine's own apt state, and returns the path of each
 * `.deb`. Signatures are checked by apt, contents against the pinned sha256. Debian drops superseded versions from its mirrors: then this
 * fails with the command that pins the newer ones.
 */
export function downloadPinned(suite: string, arch: DebianArch, packages: readonly PinnedPackage[]): Map<string, string> {
  const paths = new Map(packages.map((p) => [p.package, join(cacheFolder, `${p.sha256}.deb`)]));
  const missing = packages.filter((p) => !existsSync(paths.get(p.package)!));
  if (missing.length === 0) return paths;
  mkdirSync(cacheFolder, { recursive: true });
  withPrivateApt(suite, arch, (folder, env) => {
    const download = spawnSync('apt-get', ['download', '-q', ...missing.map((p) => `${p.package}=${p.version}`)], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (download.status !== 0) {
      throw new Error(
        `Debian ${suite} (${arch}) no longer has ${missing.map((p) => `${p.package} ${p.version}`).join(', ')}. ` +
          `Pin what it has now with: npm run refresh-bundle\n${download.stderr}`,
      );
    }
    for (const pin of missing) {
      const file = debFile(folder, pin.package);
      const sha256 = sha256Of(file);
      if (sha256 !== pin.sha256)
        throw new Error(`${pin.package} ${pin.version} (${arch}) has sha256 ${sha256}, the lock file says ${pin.sha256}`);
      writeFileSync(paths.get(pin.package)!, readFileSync(file));
    }
  });
  return paths;
}

/** The newest versions a suite has, downloaded and pinned by content. */
export function pinNewest(suite: string, arch: DebianArch, packages: readonly string[]): PinnedPackage[] {
  mkdirSync(cacheFolder, { recursive: true });
  return withPrivateApt(suite, arch, (folder, env) => {
    execFileSync('apt-get', ['download', '-q', ...packages], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    return packages.map((name) => {
      const file = debFile(folder, name);
      const sha256 = sha256Of(file);
      const version = execFileSync('dpkg-deb', ['-f', file, 'Version'], { encoding: 'utf8' }).trim();
      renameOrCopy(file, join(cacheFolder, `${sha256}.deb`));
      return { package: name, version, sha256 };
    });
  });
}

/** Packages of one suite and architecture. */
export interface PackageRequest {
  readonly suite: 'bookworm' | 'trixie' | 'sid';
  readonly arch: DebianArch;
  /** Package name → exact version, or `*` for the newest. */
  readonly packages: Readonly<Record<string, string>>;
}

/**
 * Downloads packages and unpacks them into `folder`, without touching this machine's own apt state. apt checks the signatures. Throws when the
 * mirror no longer has a version that is asked for.
 */
export function unpackPackages(request: PackageRequest, folder: string): void {
  const wanted = Object.entries(request.packages).map(([name, version]) => `${name}=${version}`);
  withPrivateApt(request.suite, request.arch, (work, env) => {
    const { status, stderr } = spawnSync('apt-get', ['download', '-q', ...wanted], { cwd: work, env, encoding: 'utf8' });
    if (status !== 0)
      throw new Error(`Debian ${request.suite} (${request.arch}) has no ${wanted.join(', ')}: pin what it has now\n${stderr}`);
    for (const deb of readdirSync(work).filter((name) => name.endsWith('.deb'))) unpackDeb(join(work, deb), folder);
  });
}

/** Unpacks a `.deb` into a folder. */
export function unpackDeb(deb: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('dpkg', ['-x', deb, folder]);
}

function withPrivateApt<R>(suite: string, arch: DebianArch, use: (folder: string, env: NodeJS.ProcessEnv) => R): R {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-apt-'));
  try {
    for (const sub of ['lists/partial', 'cache/archives/partial', 'etc/apt.conf.d', 'etc/preferences.d', 'dpkg']) {
      mkdirSync(join(folder, sub), { recursive: true });
    }
    writeFileSync(join(folder, 'dpkg/status'), '');
    writeFileSync(
      join(folder, 'etc/sources.list'),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=${arch}] ${machineMirror()} ${suite} main\n`,
    );
    writeFileSync(join(folder, 'apt.conf'), aptConfiguration(folder, arch));
    const env = { ...process.env, APT_CONFIG: join(folder, 'apt.conf') };
    execFileSync('apt-get', ['update', '-q'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    return use(folder, env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A mirror may lag for sid: the valid-until date is not checked, signatures are. */
function aptConfiguration(folder: string, arch: DebianArch): string {
  return [
    `Dir::Etc "${folder}/etc";`,
    `Dir::Etc::sourcelist "${folder}/etc/sources.list";`,
    'Dir::Etc::sourceparts "-";',
    `Dir::State::lists "${folder}/lists";`,
    `Dir::State::status "${folder}/dpkg/status";`,
    `Dir::Cache "${folder}/cache";`,
    `APT::Architecture "${arch}";`,
    `APT::Architectures {"${arch}";};`,
    'APT::Sandbox::User "root";',
    'Acquire::Check-Valid-Until "false";',
    '',
  ].join('\n');
}

/** The Debian archive this machine already uses; the security archive has not the whole suite. */
function machineMirror(): string {
  const query = (): string | undefined =>
    execFileSync(
      'apt-get',
      ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Origin: Debian', 'Label: Debian'],
      { encoding: 'utf8' },
    ).split('\n')[0];
  const known = query();
  if (known) return known;
  execFileSync('apt-get', ['update', '-q'], { stdio: 'ignore' });
  const found = query();
  if (!found) throw new Error('this machine has no Debian package source: fill /etc/apt/sources.list and run apt-get update');
  return found;
}

function debFile(folder: string, name: string): string {
  const file = readdirSync(folder).find((f) => f.startsWith(`${name}_`) && f.endsWith('.deb'));
  if (!file) throw new Error(`apt-get download left no ${name}_*.deb`);
  return join(folder, file);
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function renameOrCopy(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    writeFileSync(to, readFileSync(from));
  }
}
