import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from '../../lib/backoff.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import { errorChain, type Logger } from '../../lib/log.ts';
import { type ContainerdClient, createContainerdClient, createCriClient } from '../cri/clients.ts';
import { importPauseImage } from '../images/pause-import.ts';
import { pauseImageReference } from '../pause-image.ts';
import { BoundedLog } from './bounded-log.ts';
import { renderContainerdConfig } from './config.ts';
import * as daemon from './daemon.ts';

export interface ContainerdOptions {
  /** containerd, containerd-shim-runc-v2 and runc (or crun), and libseccomp.so.2 when the machine may lack it. */
  readonly binDir: string;
  /** Images, snapshots and the log; on disk. */
  readonly dataDir: string;
  /** Socket and task state; on a tmpfs. Two containerds must not share it. */
  readonly runDir: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  readonly registriesDir: string;
  /** The reference of the sandbox image; the one in the program, which is imported at start, when absent. */
  readonly pauseImage?: string;
  readonly snapshotter?: string;
  readonly cgroupDriver?: 'cgroupfs' | 'systemd';
  /** Whether oom_score_adj cannot be lowered; looked up from this process's capabilities when absent. */
  readonly restrictOomScoreAdj?: boolean;
  readonly sharedShim: boolean;
  /** Go's memory growth target in percent; lower = less memory, more CPU per pod. */
  readonly goGc?: number;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  /** Added to containerd's environment, for example HTTPS_PROXY and NO_PROXY. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly clock?: Clock;
}

const defaultGoGc = 25;
const restartBackoff = { initialMs: 500, maxMs: 60_000 };
/** Having run this long counts as healthy: the next death is answered at once. */
const stableMs = 60_000;
/** An SD card under load takes its time to read 50 MB of program. */
const readyTimeoutMs = 120_000;
const readyCheckMs = 50;
const adoptTimeoutMs = 5000;

/**
 * Our own containerd: written a configuration for, started detached, watched over its socket, restarted when it dies. Containers never
 * depend on it running. After a crash of this process the next one finds it by its record and goes on with it.
 */
export class ContainerdSupervisor implements Component {
  readonly name = 'containerd';
  readonly socket: string;
  readonly #options: ContainerdOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #files: { readonly config: string; readonly record: string; readonly log: string };
  readonly #boundedLog: BoundedLog;
  readonly #backoff = new Backoff(restartBackoff);
  #record: daemon.DaemonRecord | undefined;
  #watch: ContainerdClient | undefined;
  #cancelTimer: () => void = () => {};
  #stopping = false;
  #upSinceMs = 0;

  constructor(options: ContainerdOptions) {
    this.#options = options;
    this.#log = options.logger.child('containerd');
    this.#clock = options.clock ?? systemClock;
    this.socket = join(options.runDir, 'containerd.sock');
    this.#files = {
      config: join(options.runDir, 'config.toml'),
      record: join(options.runDir, 'containerd.json'),
      log: join(options.dataDir, 'containerd.log'),
    };
    this.#boundedLog = new BoundedLog(this.#files.log, this.#clock);
  }

  async start(): Promise<void> {
    this.#stopping = false;
    const { dataDir, runDir, cniConfDir, registriesDir } = this.#options;
    for (const folder of [dataDir, runDir]) await mkdir(folder, { recursive: true, mode: 0o711 });
    for (const folder of [cniConfDir, registriesDir]) await mkdir(folder, { recursive: true });
    await this.#boundedLog.start();
    await this.#adoptOrSpawn();
    await this.#watchConnection();
    if (this.#options.pauseImage === undefined) await importPauseImage(this.socket);
  }

  /** Lets go of containerd without ending it: the next process goes on with it, without a break for those who use it. */
  release(): void {
    this.#stopping = true;
    this.#cancelTimer();
    this.#boundedLog.stop();
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Ends containerd; shims and containers go on. */
  async stop(): Promise<void> {
    this.release();
    const record = this.#record;
    this.#record = undefined;
    if (!record) return;
    await daemon.terminate(record);
    await daemon.removeRecord(this.#files.record);
  }

  async #adoptOrSpawn(): Promise<void> {
    const binary = join(this.#options.binDir, 'containerd');
    const config = renderContainerdConfig(await this.#config(), await daemon.containerdVersion(binary));
    const environment = daemon.daemonEnvironment({
      binDir: this.#options.binDir,
      goGc: this.#options.goGc ?? defaultGoGc,
      extra: this.#options.environment ?? {},
    });
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([binary, config, environment]))
      .digest('hex');
    if (await this.#adopt(fingerprint)) return;
    await writeFile(this.#files.config, config, { mode: 0o600 });
    await this.#spawn(binary, environment, fingerprint);
  }

  /** Goes on with a containerd a former process of ours has started, when it is what we would start and it answers. */
  async #adopt(fingerprint: string): Promise<boolean> {
    const record = await daemon.readRecord(this.#files.record);
    if (!record || !(await daemon.isRunning(record))) return false;
    if (record.fingerprint === fingerprint && (await this.#answers(adoptTimeoutMs))) {
      this.#record = record;
      this.#log.info('went on with the running containerd', { pid: record.pid });
      return true;
    }
    await daemon.terminate(record);
    return false;
  }

  async #spawn(binary: string, environment: Readonly<Record<string, string>>, fingerprint: string): Promise<void> {
    const child = daemon.spawnDaemon({
      binary,
      configFile: this.#files.config,
      logFile: this.#files.log,
      environment,
    });
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`));
    });
    const startTicks = child.pid === undefined ? undefined : await daemon.startTicksOf(child.pid);
    if (child.pid !== undefined && startTicks !== undefined) {
      this.#record = { pid: child.pid, startTicks, fingerprint };
      await daemon.writeRecord(this.#files.record, this.#record);
    }
    let ended = false;
    const answered = this.#answers(readyTimeoutMs, () => !ended).then((ok) => (ok ? undefined : 'it does not answer'));
    const reason = await Promise.race([failed, answered]);
    ended = true;
    if (reason !== undefined)
      throw new Error(`containerd does not start: ${reason}. The end of ${this.#files.log}:\n${await this.#boundedLog.tail()}`);
    this.#log.info('started containerd', { pid: child.pid });
  }

  /** Whether the CRI service answers within the time, while it makes sense to ask. */
  async #answers(timeoutMs: number, wanted: () => boolean = () => true): Promise<boolean> {
    const client = createCriClient(this.socket);
    const deadline = performance.now() + timeoutMs;
    try {
      while (performance.now() < deadline && !this.#stopping && wanted()) {
        try {
          await client.unary('runtime.v1.RuntimeService/Status', {}, { timeoutMs: deadline - performance.now() });
          return true;
        } catch {
          await delay(readyCheckMs);
        }
      }
      return false;
    } finally {
      client.close();
    }
  }

  /** An open connection is how we hear of its death, also for one that is not our child. */
  async #watchConnection(): Promise<void> {
    this.#watch?.close();
    this.#watch = createContainerdClient(this.socket, { onDisconnect: () => this.#lost() });
    await this.#watch.unary('containerd.services.version.v1.Version/Version', {}, { timeoutMs: adoptTimeoutMs });
    this.#upSinceMs = this.#clock.monotonicMs();
  }

  #lost(): void {
    if (this.#stopping) return;
    if (this.#clock.monotonicMs() - this.#upSinceMs > stableMs) this.#backoff.reset();
    const delayMs = this.#backoff.next();
    this.#log.warn('containerd is gone, restarting it; containers go on', { retryMs: delayMs });
    this.#cancelTimer = this.#clock.after(delayMs, () => {
      this.#restart().catch((error: unknown) => {
        if (this.#stopping) return;
        this.#log.error('containerd does not come back', { error: errorChain(error) });
        this.#lost();
      });
    });
  }

  async #restart(): Promise<void> {
    if (this.#stopping) return;
    await this.#adoptOrSpawn();
    await this.#watchConnection();
  }

  async #config(): Promise<Parameters<typeof renderContainerdConfig>[0]> {
    const options = this.#options;
    return {
      rootDir: join(options.dataDir, 'root'),
      stateDir: join(options.runDir, 'state'),
      socketPath: this.socket,
      ociRuntime: ociRuntime(options.binDir),
      cniConfDir: options.cniConfDir,
      cniBinDir: options.cniBinDir,
      registriesDir: options.registriesDir,
      pauseImage: options.pauseImage ?? pauseImageReference,
      snapshotter: options.snapshotter ?? 'overlayfs',
      cgroupDriver: options.cgroupDriver ?? 'cgroupfs',
      restrictOomScoreAdj: options.restrictOomScoreAdj ?? !(await canLowerOomScore()),
      sharedShim: options.sharedShim,
      logLevel: options.logLevel ?? 'warn',
    };
  }
}

export function createContainerdSupervisor(options: ContainerdOptions): ContainerdSupervisor {
  return new ContainerdSupervisor(options);
}

function ociRuntime(binDir: string): string {
  const found = ['runc', 'crun'].map((name) => join(binDir, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is neither runc nor crun in ${binDir}: reinstall Skiff`);
  return found;
}

/** CAP_SYS_RESOURCE, which containers and small virtual machines may lack. */
const capSysResource = 24n;

async function canLowerOomScore(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> capSysResource) & 1n) === 1n;
}
