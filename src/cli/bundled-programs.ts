import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createBrotliDecompress } from 'node:zlib';
import { readAsset } from '../lib/assets.ts';
import { BranchFilter, type MachineCode } from '../lib/branch-filter.ts';
import { selfCommand } from './self.ts';

/** `node`: containerd, runc, CNI plugins. `kubectl`: unpacked when somebody uses it. */
export type Archive = 'node' | 'kubectl';

/** What build/payload.ts writes: the files in the order in which they stand in the stream. */
export interface ArchiveManifest {
  /** Changes when any byte of a file does. */
  readonly version: string;
  /** The branch filter the stream went through. */
  readonly machineCode: MachineCode;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
}

const completeMarker = '.complete';

/**
 * The folder with the bundled programs of an archive, unpacked once per version below `parent`. Unpacking runs in a child process, because its
 * memory is needed only once. Folders of other versions are removed, unless a program in them still runs: a shim needs its runc until its pod ends.
 */
export async function bundledPrograms(archive: Archive, parent: string): Promise<string> {
  const { version } = readManifest(archive);
  const folder = join(parent, `${archive}-${version}`);
  if (!existsSync(join(folder, completeMarker))) {
    const [program, ...args] = selfCommand();
    try {
      await promisify(execFile)(program, [...args, 'unpack-archive', archive, folder]);
    } catch (cause) {
      throw new Error(`the ${archive} programs could not be unpacked into ${folder}: is the disk full?`, { cause });
    }
  }
  removeOtherVersions(archive, parent, folder);
  return folder;
}

function removeOtherVersions(archive: Archive, parent: string, current: string): void {
  const others = readdirSync(parent)
    .filter((name) => new RegExp(`^${archive}-[0-9a-f]+$`).test(name) && name !== basename(current))
    .map((name) => join(parent, name));
  if (others.length === 0) return;
  const running = runningPrograms();
  for (const folder of others) {
    if (!running.some((program) => program.startsWith(`${folder}/`))) rmSync(folder, { recursive: true, force: true });
  }
}

/** The executable of every process this user may look at. */
function runningPrograms(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readlinkSync(`/proc/${pid}/exe`)];
      } catch {
        return [];
      }
    });
}

/**
 * The child's part: writes every file of the archive, then the marker that says the folder is whole. Everything is on the disk before the folder
 * gets its name, so after a power cut there is either no folder of that name or a whole one.
 */
export async function unpackArchive(archive: Archive, folder: string): Promise<void> {
  const { files, machineCode } = readManifest(archive);
  removeAbandoned(folder);
  const work = `${folder}.new-${process.pid}`;
  mkdirSync(work, { recursive: true, mode: 0o755 });
  const decompress = createBrotliDecompress({ params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 } });
  const compressed = Readable.from(slices(readAsset(`bundle/${archive}.br`)), { objectMode: false }).pipe(decompress);
  const take = splitStream(decoded(compressed, machineCode));
  const folders = new Set([work]);
  for (const file of files) {
    const path = join(work, file.name);
    mkdirSync(dirname(path), { recursive: true });
    folders.add(dirname(path));
    await writeFile(path, take(file.sizeBytes));
  }
  writeFileSync(join(work, completeMarker), '');
  for (const each of folders) syncFolder(each);
  giveName(work, folder);
  syncFolder(dirname(folder));
}

/** Work folders of processes that ended before they were done. */
function removeAbandoned(folder: string): void {
  const prefix = `${basename(folder)}.new-`;
  if (!existsSync(dirname(folder))) return;
  for (const name of readdirSync(dirname(folder))) {
    if (name.startsWith(prefix) && !existsSync(`/proc/${name.slice(prefix.length)}`))
      rmSync(join(dirname(folder), name), { recursive: true, force: true });
  }
}

/** Another process may have been faster: then its folder stays. */
function giveName(work: string, folder: string): void {
  if (!existsSync(join(folder, completeMarker))) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(work, folder);
  } catch (error) {
    if (!existsSync(join(folder, completeMarker))) throw error;
    rmSync(work, { recursive: true });
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function readManifest(archive: Archive): ArchiveManifest {
  return JSON.parse(Buffer.from(readAsset(`bundle/${archive}.json`)).toString()) as ArchiveManifest;
}

async function* decoded(stream: AsyncIterable<Buffer>, machineCode: MachineCode): AsyncGenerator<Buffer> {
  const filter = new BranchFilter(machineCode, 'decode');
  for await (const chunk of stream) yield filter.push(chunk);
  yield filter.end();
}

const sliceBytes = 1 << 16;

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}

/** Returns a function that takes the next `n` bytes of a stream as chunks. */
function splitStream(stream: AsyncIterable<Buffer>): (n: number) => AsyncGenerator<Buffer> {
  const source = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return async function* take(n) {
    let left = n;
    while (left > 0) {
      if (rest.length === 0) {
        const { value, done } = await source.next();
        if (done) throw new Error('the archive ends too early: the executable is damaged, install it again');
        rest = value;
      }
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  };
}

async function writeFile(path: string, chunks: AsyncGenerator<Buffer>): Promise<void> {
  const file = await open(path, 'w', 0o755);
  try {
    await file.writeFile(chunks);
    await file.sync();
  } finally {
    await file.close();
  }
}
