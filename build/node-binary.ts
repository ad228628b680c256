import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type NodeArch = 'x64' | 'arm64';

/** The Node.js that ships: the version pinned in package.json, the one that runs this build. */
export const nodeVersion = process.versions.node;

const stripPrograms: Readonly<Record<NodeArch, string>> = { x64: 'strip', arm64: 'aarch64-linux-gnu-strip' };

/** Returns the path of Node's stripped executable for an architecture, taken from the npm package and checked against package-lock.json. */
export function strippedNode(arch: NodeArch): string {
  const target = join('.cache/node', `node-${nodeVersion}-${arch}`);
  if (existsSync(target)) return target;
  mkdirSync('.cache/node', { recursive: true });
  const work = `${target}.new`;
  copyFileSync(originalNode(arch), work);
  execFileSync(stripPrograms[arch], [work]);
  renameSync(work, target);
  return target;
}

function originalNode(arch: NodeArch): string {
  const installed = join('node_modules', `node-linux-${arch}`, 'bin/node');
  if (existsSync(installed)) return installed;
  const name = `node-linux-${arch}`;
  const folder = join('.cache/node', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', `${name}@${nodeVersion}`], { cwd: folder, encoding: 'utf8' })
    .trim()
    .split('\n')
    .at(-1)!;
  const tarball = join(folder, packed);
  checkIntegrity(name, tarball);
  execFileSync('tar', ['-xzf', packed], { cwd: folder });
  rmSync(tarball);
  return join(folder, 'package/bin/node');
}

function checkIntegrity(name: string, tarball: string): void {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const pinned = lock.packages[`node_modules/${name}`];
  if (pinned?.version !== nodeVersion)
    throw new Error(`package-lock.json pins ${name} ${pinned?.version}, this build runs Node.js ${nodeVersion}`);
  const actual = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (actual !== pinned.integrity)
    throw new Error(`${name} ${nodeVersion} has integrity ${actual}, package-lock.json says ${pinned.integrity}`);
}
