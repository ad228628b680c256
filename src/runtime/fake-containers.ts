import { PassThrough } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { FakeProgram } from './fake-program.ts';
import {
  type Container,
  type ContainerConfig,
  type ExecRequest,
  type ExecSession,
  type RuntimeEvent,
  RuntimeTimeout,
} from './runtime.ts';

interface Running {
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  kill(exitCode: number): void;
  readonly done: Promise<number>;
}

interface Entry {
  container: Container;
  readonly config: ContainerConfig;
  process?: Running;
}

const sigtermCode = 143;
const sigkillCode = 137;
const maxSyncOutputBytes = 16 * 1024;

/** The containers of the fake runtime and the processes in them. */
export class FakeContainers {
  readonly #clock: Clock;
  readonly #programs: Readonly<Record<string, FakeProgram>>;
  readonly #emit: (event: RuntimeEvent) => void;
  readonly #entries = new Map<string, Entry>();
  #made = 0;

  constructor(deps: {
    readonly clock: Clock;
    readonly programs: Readonly<Record<string, FakeProgram>>;
    readonly emit: (event: RuntimeEvent) => void;
  }) {
    this.#clock = deps.clock;
    this.#programs = deps.programs;
    this.#emit = deps.emit;
  }

  list(sandboxId?: string): Container[] {
    const all = [...this.#entries.values()].map((entry) => entry.container);
    return sandboxId === undefined ? all : all.filter((container) => container.sandboxId === sandboxId);
  }

  status(id: string): Container | undefined {
    return this.#entries.get(id)?.container;
  }

  mustExist(id: string): void {
    this.#entry(id);
  }

  create(sandboxId: string, config: ContainerConfig, imageRef: string): string {
    const id = `container-${++this.#made}`;
    const { name, attempt, image, logPath, labels, annotations } = config;
    const described = { id, sandboxId, name, attempt, image, imageRef, logPath, labels, annotations };
    const times = { createdAtMs: this.#clock.now(), startedAtMs: 0, finishedAtMs: 0 };
    this.#entries.set(id, {
      config,
      container: { ...described, ...times, state: 'created', exitCode: 0, reason: '', message: '' },
    });
    this.#emit({ type: 'created', id });
    return id;
  }

  start(id: string): void {
    const entry = this.#entry(id);
    if (entry.container.state !== 'created') throw new Error(`container ${id} is ${entry.container.state}`);
    entry.container = { ...entry.container, state: 'running', startedAtMs: this.#clock.now() };
    const command = [...entry.config.command, ...entry.config.args];
    entry.process = run(this.#programs[command[0] ?? ''] ?? ((process) => process.killed), command);
    if (!entry.config.stdin) entry.process.stdin.end();
    this.#emit({ type: 'started', id });
    void entry.process.done.then((exitCode) => this.finish(id, exitCode, exitCode === 0 ? 'Completed' : 'Error'));
  }

  /** Ends the main process, if it still runs, with this outcome. */
  finish(id: string, exitCode: number, reason: string): void {
    const entry = this.#entries.get(id);
    if (entry?.container.state !== 'running') return;
    entry.container = { ...entry.container, state: 'exited', exitCode, reason, finishedAtMs: this.#clock.now() };
    entry.process?.kill(exitCode);
    this.#emit({ type: 'stopped', id, exitCode });
  }

  async stop(id: string): Promise<void> {
    this.finish(id, sigtermCode, 'Error');
  }

  remove(id: string): void {
    this.finish(id, sigkillCode, 'Error');
    if (this.#entries.delete(id)) this.#emit({ type: 'deleted', id });
  }

  async execSync(id: string, command: readonly string[], timeoutMs: number): Promise<{ exitCode: number; output: string }> {
    const process = this.#exec(id, command);
    process.stdin.end();
    let output = '';
    for (const stream of [process.stdout, process.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    const timeout = Promise.withResolvers<undefined>();
    const cancel = this.#clock.after(timeoutMs, () => timeout.resolve(undefined));
    const exitCode = await Promise.race([process.done, timeout.promise]);
    cancel();
    if (exitCode === undefined) {
      process.kill(sigkillCode);
      throw new RuntimeTimeout(`command "${command.join(' ')}" timed out after ${timeoutMs / 1000} s`);
    }
    return { exitCode, output: output.slice(0, maxSyncOutputBytes) };
  }

  exec(id: string, request: ExecRequest): ExecSession {
    const process = this.#exec(id, request.command);
    if (!request.stdin) process.stdin.end();
    return session(process, request, async () => process.kill(sigkillCode));
  }

  attach(id: string, request: Omit<ExecRequest, 'command'>): ExecSession {
    return session(this.#runningProcess(id), request, async () => {});
  }

  #exec(id: string, command: readonly string[]): Running {
    const main = this.#runningProcess(id);
    const program = this.#programs[command[0] ?? ''];
    if (!program) throw new Error(`failed to exec "${command.join(' ')}" in the container: executable file not found in $PATH`);
    const process = run(program, command);
    void main.done.then(() => process.kill(sigkillCode));
    return process;
  }

  #runningProcess(id: string): Running {
    const { container, process } = this.#entry(id);
    if (container.state !== 'running' || !process) throw new Error(`container ${id} is not running`);
    return process;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`container ${id} not found`);
    return entry;
  }
}

function run(program: FakeProgram, command: readonly string[]): Running {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const killed = Promise.withResolvers<number>();
  const work = async (): Promise<number> => program({ command, ...streams, killed: killed.promise });
  const done = Promise.race([work(), killed.promise]).then((exitCode) => {
    streams.stdout.end();
    streams.stderr.end();
    return exitCode;
  });
  return { ...streams, kill: (exitCode) => killed.resolve(exitCode), done };
}

function session(process: Running, request: Omit<ExecRequest, 'command'>, close: () => Promise<void>): ExecSession {
  return {
    stdin: request.stdin ? process.stdin : undefined,
    stdout: request.stdout || request.tty ? process.stdout : undefined,
    stderr: request.stderr && !request.tty ? process.stderr : undefined,
    resize: async () => {},
    exit: process.done.then((exitCode) => ({ exitCode })),
    close,
  };
}
