/**
 * `npm run release`: dist/release with skiff-linux-{x64,arm64}.xz, SHA256SUMS and install.sh: a folder that install.sh can install from, when a
 * web server offers it. Everything is compressed as small as it gets, which takes minutes the first time; fails when a file is larger than
 * budgets.json allows. `npm run release -- x64` makes one of them. `--quick` packs what `npm run build` left in dist, fast and not as small, into
 * dist/release-quick: for trying out an installation.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './debian.ts';
import { buildExecutables } from './executables.ts';
import type { NodeArch } from './node-binary.ts';

/** Machine code of the architecture gets 3 % smaller; the xz of Debian 12 and newer can undo it. */
const filters: Readonly<Record<NodeArch, string>> = { x64: '--x86', arm64: '--arm64' };
const budgetNames: Readonly<Record<NodeArch, string>> = { x64: 'downloadX64Mb', arm64: 'downloadArm64Mb' };

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const wanted = args.filter((a): a is NodeArch => a === 'x64' || a === 'arm64');
const arches: readonly NodeArch[] = wanted.length > 0 ? wanted : ['x64', 'arm64'];
const folder = quick ? 'dist/release-quick' : 'dist/release';
const work = quick ? 'dist' : 'dist/release-work';

ensureInstalled(['binutils', 'binutils-aarch64-linux-gnu', 'ca-certificates', 'xz-utils']);
if (!quick) await buildExecutables({ arches, outDir: work, effort: 'small', failpoints: false });
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const sums = arches.map((arch) => {
  const file = `skiff-linux-${arch}.xz`;
  const target = join(folder, file);
  compress(join(work, `skiff-linux-${arch}`), target, filters[arch]);
  console.log(`${target}: ${sizeMb(target).toFixed(1)} MB`);
  return `${createHash('sha256').update(readFileSync(target)).digest('hex')}  ${file}\n`;
});
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
copyFileSync('install.sh', join(folder, 'install.sh'));
if (!quick) {
  rmSync(work, { recursive: true });
  checkBudgets();
}

function compress(from: string, to: string, filter: string): void {
  const out = openSync(to, 'w');
  const effort = quick ? ['-0', '--threads=0'] : [filter, '--lzma2=preset=9e'];
  execFileSync('xz', ['--stdout', ...effort, from], { stdio: ['ignore', out, 'inherit'] });
}

function checkBudgets(): void {
  const budgets = JSON.parse(readFileSync('budgets.json', 'utf8')) as Record<string, { max: number }>;
  for (const arch of arches) {
    const size = sizeMb(join(folder, `skiff-linux-${arch}.xz`));
    const { max } = budgets[budgetNames[arch]]!;
    if (size <= max) continue;
    console.error(`skiff-linux-${arch}.xz is larger than the ${max} MB that budgets.json allows`);
    process.exitCode = 1;
  }
}

/** In units of 10^6 bytes. */
function sizeMb(file: string): number {
  return statSync(file).size / 1e6;
}
