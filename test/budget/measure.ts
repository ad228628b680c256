import { execFileSync } from 'node:child_process';
import { copyFileSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Clock ticks of /proc a second: the same on every Linux Node.js runs on. */
const ticksPerSecond = 100;
/** lstat counts blocks of this size, whatever the filesystem's own is. */
const blockBytes = 512;
const bytesPerKib = 1024;
const mega = 1_000_000;

/** Proportional memory of a process, and the part of it that no file stands behind, in MB. */
export function memory(pid: number): { readonly pssMb: number; readonly anonymousMb: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) * bytesPerKib) / mega;
  return { pssMb: mb('Pss'), anonymousMb: mb('Pss_Anon') };
}

/** CPU seconds a process has used, in user and kernel mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Bytes a process has caused to be written to a disk; what went to a memory filesystem does not count. */
export function writtenBytes(pid: number): number {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]) - Number(/^cancelled_write_bytes: (\d+)$/m.exec(io)?.[1]);
}

/** Processes that run a program below `folder`. */
export function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/exe`).startsWith(`${folder}/`);
      } catch {
        return false; // Ended, or a thread of the kernel.
      }
    })
    .map(Number);
}

/** Space a file or folder takes on its disk, in MB. */
export function diskMb(path: string): number {
  const entry = lstatSync(path);
  const own = (entry.blocks * blockBytes) / mega;
  if (!entry.isDirectory()) return own;
  return readdirSync(path).reduce((sum, name) => sum + diskMb(join(path, name)), own);
}

/**
 * A copy of a program which shares no memory with other processes of it, and which stands on disk only: a file written moments ago is
 * mapped in larger pieces of the page cache, and so reads as more memory than it takes.
 */
export function coldCopy(program: string, target: string): string {
  copyFileSync(program, target);
  // Without data to copy, dd tells the kernel to forget what it has cached of the whole file.
  execFileSync('dd', [`of=${target}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'], { stdio: 'inherit' });
  return target;
}

/** The variables with which install.sh starts Skiff. */
export function installedEnvironment(): Record<string, string> {
  const settings = readFileSync('install.sh', 'utf8').matchAll(/\b(MALLOC_\w+)=(\d+)\b/g);
  return Object.fromEntries([...settings].map(([, name, value]) => [name!, value!]));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
