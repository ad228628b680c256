import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folderVariable = 'SKIFF_ISOLATED_FOLDER';
const folderPrefix = 'skiff-isolated-';
const ownerFile = 'owner';
const defaultTimeoutMs = 10 * 60_000;

/**
 * Runs a test file in network, mount and PID namespaces of its own, with an empty /run: whatever it starts or mounts is gone when it
 * ends, also after a crash, and the machine's network is never touched. Outside it defines one test that starts the file again inside;
 * inside it calls `define`, whose tests may use `folder` on disk and cgroups whose name starts with `cgroupRoot`. Needs root.
 */
export function isolated(
  fileUrl: string,
  define: (place: { readonly folder: string; readonly cgroupRoot: string }) => void,
  timeoutMs = defaultTimeoutMs,
): void {
  const folder = process.env[folderVariable];
  if (folder !== undefined) {
    const setUp = spawnSync('sh', ['-ec', 'mount -t tmpfs tmpfs /run; mkdir -p /run/lock; ip link set lo up'], {
      stdio: 'inherit',
    });
    if (setUp.status !== 0) throw new Error('the namespaces could not be set up');
    define({ folder, cgroupRoot: cgroupRootOf(folder) });
    return;
  }
  const skip = process.getuid?.() === 0 ? false : 'needs root';
  test(`${fileURLToPath(fileUrl)} in namespaces of its own`, { skip, timeout: timeoutMs }, async () => {
    sweep();
    const place = mkdtempSync(join(tmpdir(), folderPrefix));
    writeFileSync(join(place, ownerFile), String(process.pid));
    try {
      await runInside(fileURLToPath(fileUrl), place);
    } finally {
      remove(place);
    }
  });
}

/** True inside the namespaces of a test. */
export function isIsolated(): boolean {
  return process.env[folderVariable] !== undefined;
}

/** Removes what runs left that were killed before they could. */
function sweep(): void {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(folderPrefix))) {
    const place = join(tmpdir(), name);
    const owner = join(place, ownerFile);
    if (existsSync(owner) && !existsSync(`/proc/${readFileSync(owner, 'utf8')}`)) remove(place);
  }
}

function remove(place: string): void {
  removeCgroups(cgroupRootOf(place));
  rmSync(place, { recursive: true, force: true });
}

function cgroupRootOf(folder: string): string {
  return `/skiff-test-${folder.slice(folder.lastIndexOf('-') + 1)}`;
}

/** The shell is process 1 there: it reaps the orphans that shims leave. */
function runInside(file: string, place: string): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // A failed test may leave a daemon's connection open; the namespaces end with the process.
  const command = [process.execPath, '--test-reporter=spec', '--test-force-exit', file];
  const child = spawn(
    'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh', ...command],
    { env: { ...env, [folderVariable]: place }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`the tests inside ended with ${signal ?? code}`)),
    );
  });
}

/** Every hierarchy's copy of a cgroup, emptied by the end of the namespaces. */
function removeCgroups(cgroup: string): void {
  for (const mount of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path, type] = mount.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    removeTree(`${path}${cgroup}`);
  }
}

function removeTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(path, entry.name));
  rmdirSync(path);
}
