import { readFileSync } from 'node:fs';
import { bundledPackages, readLock } from './packages.ts';

export const licencesFile = 'docs/licences.md';

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Packages of npm that are part of Node.js's own distribution, not of the bundle. */
const nodePackage = /^node-linux-/;

/** The text of docs/licences.md, which `skiff licences` prints: everything the executable carries, from the lock files. */
export function licencesDocument(): string {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> };
  const locked = Object.entries(packages)
    .map(([path, pin]) => ({ name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), pin }))
    .filter(({ name, pin }) => name !== '' && !pin.dev);
  const node = locked.find(({ name }) => nodePackage.test(name))!.pin;
  const npm = locked.filter(({ name }) => !nodePackage.test(name));
  return [
    '# What is inside the executable, and under which licences',
    '',
    '<!-- Written by `npm run licences` from package-lock.json and build/bundled; do not edit. -->',
    '',
    'Skiff itself is licensed under the [Apache License 2.0](../LICENSE). The executable carries:',
    '',
    '## Node.js',
    '',
    ...table(['what', 'version', 'licence', 'source'], [['Node.js', node.version, 'MIT', nodeSource(node.version)]]),
    '',
    'Node.js contains V8, OpenSSL, libuv, ICU and others; its LICENSE file has their licences.',
    '',
    '## npm packages',
    '',
    ...table(
      ['package', 'version', 'licence', 'source'],
      npm.map(({ name, pin }) => [
        name,
        pin.version,
        licenceOf(name, pin),
        `https://www.npmjs.com/package/${name}/v/${pin.version}`,
      ]),
    ),
    '',
    `better-sqlite3 contains SQLite ${sqliteVersion()}, which is in the public domain.`,
    '',
    '## Programs, from Debian',
    '',
    'Unchanged files of Debian packages. Each package has its copyright file at the source address, with the licences of what is linked into it.',
    '',
    ...table(['package', 'version', 'licence', 'files', 'source'], debianRows()),
    '',
  ].join('\n');
}

function licenceOf(name: string, { license }: LockedPackage): string {
  if (!license) throw new Error(`package-lock.json does not say under which licence ${name} is: look, and add it here`);
  return license;
}

function nodeSource(version: string): string {
  return `https://github.com/nodejs/node/tree/v${version}`;
}

/** From the script with which better-sqlite3 fetches SQLite: 3540100 is 3.54.1. */
function sqliteVersion(): string {
  const script = readFileSync('node_modules/better-sqlite3/deps/download.sh', 'utf8');
  const match = /^VERSION="(\d)(\d\d)(\d\d)\d\d"$/m.exec(script);
  if (!match) throw new Error('better-sqlite3 no longer says in deps/download.sh which SQLite it has');
  return match.slice(1).map(Number).join('.');
}

function debianRows(): string[][] {
  const lock = readLock();
  return bundledPackages.map((bundled) => {
    const versions = new Set(
      Object.values(lock).map((pins) => pins.find((pin) => pin.package === bundled.package)?.version ?? 'not pinned'),
    );
    const files = Object.values(bundled.files).join(', ');
    const source = `https://tracker.debian.org/pkg/${bundled.source ?? bundled.package}`;
    return [bundled.package, [...versions].join(', '), bundled.licence, files, source];
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
