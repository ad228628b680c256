import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { Archive, ArchiveManifest } from '../src/cli/bundled-programs.ts';
import { BranchFilter, type MachineCode } from '../src/lib/branch-filter.ts';
import { type BundledPackage, bundledPackages, readLock, triplets } from './bundled/packages.ts';
import { type DebianArch, downloadPinned, unpackDeb } from './debian.ts';

/** `quick` takes seconds, `small` minutes for 15 % less: for releases. */
export type Effort = 'quick' | 'small';

const qualities: Readonly<Record<Effort, number>> = { quick: 6, small: 11 };

/** 64 MiB: the programs share much code. Unpacking needs that much memory, for seconds, in a process of its own. */
const windowBits = 26;

const cacheFolder = '.cache/payload';

/**
 * Writes `bundle/<archive>.br` and `bundle/<archive>.json` into `outDir` for one architecture: the bundled programs as one Brotli stream,
 * which Node.js can unpack and which with the branch filter is smaller than zstd at its best. The compressed stream is cached by content.
 */
export function buildPayload(arch: DebianArch, outDir: string, effort: Effort): void {
  const work = mkdtempSync(join(tmpdir(), 'skiff-payload-'));
  try {
    for (const archive of ['node', 'kubectl'] as const) {
      const files = bundledPackages.filter((p) => p.archive === archive).flatMap((p) => takeFiles(p, arch, work));
      writeArchive({ archive, files, outDir, effort, machineCode: arch === 'amd64' ? 'x86' : 'arm64' });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface TakenFile {
  readonly name: string;
  readonly path: string;
}

function takeFiles(bundled: BundledPackage, arch: DebianArch, work: string): TakenFile[] {
  const pin = readLock()[arch].find((p) => p.package === bundled.package);
  if (!pin) throw new Error(`${bundled.package} is not pinned for ${arch}: run npm run refresh-bundle`);
  const deb = downloadPinned(bundled.suite, arch, [pin]).get(bundled.package)!;
  const root = join(work, `${bundled.package}-${arch}`);
  unpackDeb(deb, root);
  return Object.entries(bundled.files).map(([path, name]) => ({
    name,
    path: realpathSync(join(root, path.replace('{triplet}', triplets[arch]))),
  }));
}

interface ArchiveOptions {
  readonly archive: Archive;
  readonly files: readonly TakenFile[];
  readonly outDir: string;
  readonly effort: Effort;
  readonly machineCode: MachineCode;
}

function writeArchive(options: ArchiveOptions): void {
  const { archive, files, outDir, machineCode } = options;
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.name}\0`).update(readFileSync(file.path));
  const version = hash.digest('hex').slice(0, 16);
  const manifest: ArchiveManifest = {
    version,
    machineCode,
    files: files.map((f) => ({ name: f.name, sizeBytes: statSync(f.path).size })),
  };
  const target = join(outDir, 'bundle', `${archive}.br`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, compressed(options));
  writeFileSync(join(outDir, 'bundle', `${archive}.json`), JSON.stringify(manifest));
}

/** Builds with the same contents reuse the compressed stream. */
function compressed(options: ArchiveOptions): Uint8Array {
  const { files, effort, machineCode } = options;
  const content = filtered(Buffer.concat(files.map((f) => readFileSync(f.path))), machineCode);
  const cached = join(cacheFolder, `${createHash('sha256').update(content).digest('hex').slice(0, 16)}-${effort}.br`);
  if (existsSync(cached)) return readFileSync(cached);
  console.log(`compressing ${files.map((f) => f.name).join(', ')}`);
  const bytes = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: qualities[effort],
      [constants.BROTLI_PARAM_LARGE_WINDOW]: 1,
      [constants.BROTLI_PARAM_LGWIN]: windowBits,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(`${cached}.new`, bytes);
  renameSync(`${cached}.new`, cached);
  return bytes;
}

function filtered(content: Buffer, machineCode: MachineCode): Buffer {
  const filter = new BranchFilter(machineCode, 'encode');
  return Buffer.concat([filter.push(content), filter.end()]);
}
