import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process as it can be found again after our own restart. */
export interface DaemonRecord {
  readonly pid: number;
  /** When it started, in clock ticks since boot: tells it from a later process with the same pid. */
  readonly startTicks: string;
  /** Stands for program, configuration and environment: a daemon of another fingerprint has to be restarted. */
  readonly fingerprint: string;
}

const stopTimeoutMs = 10_000;
const stopCheckMs = 50;

/** `major.minor` of the containerd program. */
export async function containerdVersion(binary: string): Promise<string> {
  const { stdout } = await promisify(execFile)(binary, ['--version']);
  const version = /\bv?(\d+\.\d+)\.\d+/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${binary} --version says "${stdout.trim()}", which names no version`);
  return version;
}

/** Starts the daemon in a session of its own, so that it outlives us. Its output is appended to `logFile`. */
export function spawnDaemon(options: {
  readonly binary: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string>>;
}): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.binary, ['--config', options.configFile], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...options.environment },
      cwd: '/',
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** What the daemon and the programs it starts see: our programs first, the library beside them, and Go's memory setting. */
export function daemonEnvironment(options: {
  readonly binDir: string;
  readonly goGc: number;
  readonly extra: Readonly<Record<string, string>>;
}): Record<string, string> {
  const carriesLibrary = existsSync(join(options.binDir, 'libseccomp.so.2'));
  return {
    ...options.extra,
    PATH: `${options.binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    GOGC: String(options.goGc),
    ...(carriesLibrary ? { LD_LIBRARY_PATH: options.binDir } : {}),
  };
}

/** Clock ticks since boot at which a process started; undefined when there is none (or only a zombie). */
export async function startTicksOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses, which may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export async function isRunning(record: DaemonRecord): Promise<boolean> {
  return (await startTicksOf(record.pid)) === record.startTicks;
}

/** Asks the daemon to end, insists after a while, and resolves when it has ended. Its shims go on. */
export async function terminate(record: DaemonRecord): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isRunning(record))) return;
    process.kill(record.pid, signal);
    for (let waited = 0; waited < stopTimeoutMs; waited += stopCheckMs) {
      if (!(await isRunning(record))) return;
      await delay(stopCheckMs);
    }
  }
  throw new Error(`containerd (pid ${record.pid}) does not end`);
}

export async function readRecord(file: string): Promise<DaemonRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as DaemonRecord;
  } catch {
    return undefined;
  }
}

export async function writeRecord(file: string, record: DaemonRecord): Promise<void> {
  await writeFile(file, JSON.stringify(record), { mode: 0o600 });
}

export async function removeRecord(file: string): Promise<void> {
  await rm(file, { force: true });
}
