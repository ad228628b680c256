import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Mounts. Node.js has no mount(2): the implementation starts mount(8) and umount(8). */
export interface Mounter {
  /** Mounts a memory filesystem unless one is there. */
  tmpfs(path: string, options: { sizeBytes?: number; mode: number }): Promise<void>;
  bind(source: string, target: string): Promise<void>;
  /** Does nothing when nothing is mounted there. */
  unmount(path: string): Promise<void>;
  /** Mount points at or below `prefix`, the innermost first. */
  mountsBelow(prefix: string): Promise<string[]>;
}

const run = promisify(execFile);

export const systemMounter: Mounter = {
  async tmpfs(path, { sizeBytes, mode }) {
    await mkdir(path, { recursive: true });
    if ((await this.mountsBelow(path)).includes(path)) return;
    const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
    await run('mount', ['-t', 'tmpfs', '-o', `nosuid,nodev,mode=${mode.toString(8)}${size}`, 'tmpfs', path]);
  },
  async bind(source, target) {
    await run('mount', ['--bind', source, target]);
  },
  async unmount(path) {
    if (!(await this.mountsBelow(path)).includes(path)) return;
    await run('umount', [path]).catch(() => run('umount', ['-l', path]));
  },
  async mountsBelow(prefix) {
    return mountPoints(await readFile('/proc/self/mountinfo', 'utf8'), prefix);
  },
};

/** The mount points of a mountinfo text at or below `prefix`, the innermost first. */
export function mountPoints(mountinfo: string, prefix: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path === prefix || path.startsWith(`${prefix}/`))
    .reverse();
}
