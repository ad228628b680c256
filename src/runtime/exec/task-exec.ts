import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import { type ContainerdClient, callTimeoutMs } from '../cri/clients.ts';
import { GrpcError, grpcStatus, isGrpcStatus } from '../grpc/grpc-error.ts';
import { type ExecRequest, type ExecSession, RuntimeTimeout } from '../runtime.ts';
import type { FifoStock } from './fifo-stock.ts';
import { ProcessStreams } from './process-streams.ts';

const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process';
const sigkill = 9;
/** Longest output of execSync, as in the kubelet (pkg/probe/exec: maxReadLength 10 KiB; hooks 16 KiB). */
const maxSyncOutputBytes = 16 * 1024;
/** The longest session: less than what one Node.js timer can hold. */
const maxSessionMs = 20 * 24 * 3_600_000;
/** A command goes on while containerd restarts: so long is its return awaited. */
const reconnectMs = 15_000;
const reconnectPauseMs = 200;
/** After its process has ended, how long execSync waits for output that background children hold open. */
const syncDrainMs = 500;

/** The parts of an OCI process description that exec changes; the rest is passed on as the container has it. */
interface OciProcess {
  args: string[];
  terminal?: boolean;
  env?: string[];
  [field: string]: unknown;
}

/**
 * Commands in running containers by containerd's Tasks service and named pipes. CRI's own Exec is not used: its streaming server loses
 * stdin that is still on its way when the command reads without writing, and cannot close stdin alone over WebSocket.
 */
export class TaskExec {
  readonly #client: ContainerdClient;
  readonly #fifos: FifoStock;
  readonly #log: Logger;

  constructor(deps: { readonly client: ContainerdClient; readonly fifos: FifoStock; readonly log: Logger }) {
    this.#client = deps.client;
    this.#fifos = deps.fifos;
    this.#log = deps.log;
  }

  async exec(containerId: string, request: ExecRequest): Promise<ExecSession> {
    // Without a terminal the shim insists on both outputs; what nobody wants is read and dropped.
    const streams = await ProcessStreams.open(this.#fifos, { stdin: request.stdin, stdout: true, stderr: !request.tty });
    const stdout = request.stdout || request.tty ? streams.stdout : void streams.stdout?.resume();
    const stderr = request.stderr ? streams.stderr : void streams.stderr?.resume();
    const process = await this.#start({ containerId, streams, ...request, timeoutMs: callTimeoutMs.change });
    const exit = (async () => {
      try {
        const exitCode = await process.wait(maxSessionMs);
        await streams.drained();
        return { exitCode };
      } finally {
        await process.delete();
      }
    })();
    // A caller that lost interest need not wait for the exit; who does hears of its failure.
    exit.catch(() => {});
    return {
      stdin: streams.stdin && halfClosable(streams.stdin, () => process.closeStdin()),
      stdout,
      stderr,
      resize: (width, height) => process.resize(width, height),
      exit,
      close: async () => {
        await process.kill();
        await streams.close();
        // Killed: however it ended, it is over.
        await exit.catch(() => {});
      },
    };
  }

  /** See Runtime.execSync: stdout and stderr together, cut at `maxSyncOutputBytes`. */
  async execSync(
    containerId: string,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string }> {
    const deadline = performance.now() + timeoutMs;
    const streams = await ProcessStreams.open(this.#fifos, { stdin: false, stdout: true, stderr: true });
    const output = collect([streams.stdout!, streams.stderr!]);
    let process: TaskProcess | undefined;
    try {
      process = await this.#start({ containerId, streams, command, tty: false, timeoutMs });
      const exitCode = await process.wait(Math.max(1, deadline - performance.now()));
      await Promise.race([output.ended, delay(syncDrainMs)]);
      return { exitCode, output: output.text() };
    } catch (error) {
      if (!isDeadline(error)) throw error;
      this.#inBackground(containerId, process?.kill());
      throw new RuntimeTimeout(`command "${command.join(' ')}" timed out after ${timeoutMs / 1000} s`);
    } finally {
      // Not awaited: with a background child holding the output, the shim takes 10 s to let go.
      this.#inBackground(containerId, process?.delete());
    }
  }

  async #start(options: {
    readonly containerId: string;
    readonly command: readonly string[];
    readonly tty: boolean;
    readonly streams: ProcessStreams;
    readonly timeoutMs: number;
  }): Promise<TaskProcess> {
    const { containerId, command, tty, streams, timeoutMs } = options;
    const execId = `skiff-exec-${randomBytes(8).toString('hex')}`;
    const process = new TaskProcess(this.#client, { container_id: containerId, exec_id: execId }, streams);
    try {
      const spec = withCommand(await this.#processOf(containerId), command, tty);
      await process.create(spec, tty, timeoutMs);
    } catch (cause) {
      await streams.close();
      throw execError(cause, command);
    }
    try {
      await process.start(timeoutMs);
      await streams.deleteFiles();
    } catch (cause) {
      // It may have been started after all, too late for us.
      this.#inBackground(containerId, isDeadline(cause) ? process.kill().then(() => process.delete()) : process.discard());
      throw execError(cause, command);
    }
    return process;
  }

  #inBackground(containerId: string, work: Promise<void> | undefined): void {
    work?.catch((error: unknown) => this.#log.debug('a command was not cleaned up', { containerId, error }));
  }

  async #processOf(containerId: string): Promise<OciProcess> {
    const { container } = await this.#client.unary(
      'containerd.services.containers.v1.Containers/Get',
      { id: containerId },
      { timeoutMs: callTimeoutMs.read },
    );
    const spec = JSON.parse(Buffer.from(container?.spec?.value ?? []).toString()) as { process?: OciProcess };
    if (!spec.process) throw new Error(`container ${containerId} has no process description`);
    return spec.process;
  }
}

/** One additional process of a task. */
class TaskProcess {
  readonly #client: ContainerdClient;
  readonly #ids: { readonly container_id: string; readonly exec_id: string };
  readonly #streams: ProcessStreams;

  constructor(
    client: ContainerdClient,
    ids: { readonly container_id: string; readonly exec_id: string },
    streams: ProcessStreams,
  ) {
    this.#client = client;
    this.#ids = ids;
    this.#streams = streams;
  }

  async create(spec: OciProcess, terminal: boolean, timeoutMs: number): Promise<void> {
    await this.#client.unary(
      'containerd.services.tasks.v1.Tasks/Exec',
      {
        ...this.#ids,
        ...this.#streams.paths,
        terminal,
        spec: { type_url: processType, value: Buffer.from(JSON.stringify(spec)) },
      },
      { timeoutMs },
    );
  }

  async start(timeoutMs: number): Promise<void> {
    await this.#client.unary('containerd.services.tasks.v1.Tasks/Start', this.#ids, { timeoutMs });
  }

  /** The exit code; also right when the process has ended before, or when containerd restarts meanwhile. */
  async wait(timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (let lostAt: number | undefined; ; await delay(reconnectPauseMs)) {
      try {
        const left = Math.max(1, deadline - performance.now());
        const answer = await this.#client.unary('containerd.services.tasks.v1.Tasks/Wait', this.#ids, { timeoutMs: left });
        return answer.exit_status;
      } catch (error) {
        lostAt ??= performance.now();
        if (!isGrpcStatus(error, grpcStatus.unavailable) || performance.now() - lostAt > reconnectMs) throw error;
      }
    }
  }

  async closeStdin(): Promise<void> {
    await this.#whileItLives(
      this.#client.unary(
        'containerd.services.tasks.v1.Tasks/CloseIO',
        { ...this.#ids, stdin: true },
        { timeoutMs: callTimeoutMs.read },
      ),
    );
  }

  async resize(width: number, height: number): Promise<void> {
    const size = { width, height };
    await this.#whileItLives(
      this.#client.unary(
        'containerd.services.tasks.v1.Tasks/ResizePty',
        { ...this.#ids, ...size },
        { timeoutMs: callTimeoutMs.read },
      ),
    );
  }

  async kill(): Promise<void> {
    await this.#whileItLives(
      this.#client.unary(
        'containerd.services.tasks.v1.Tasks/Kill',
        { ...this.#ids, signal: sigkill },
        { timeoutMs: callTimeoutMs.read },
      ),
    );
  }

  /** Makes the shim forget the process, once it has ended, and closes the streams. */
  async delete(): Promise<void> {
    await this.#streams.close();
    await this.#whileItLives(this.wait(callTimeoutMs.read));
    await this.discard();
  }

  /** As `delete`, for a process that does not run: it has ended or was never started. */
  async discard(): Promise<void> {
    await this.#streams.close();
    await this.#whileItLives(
      this.#client.unary('containerd.services.tasks.v1.Tasks/DeleteProcess', this.#ids, { timeoutMs: callTimeoutMs.read }),
    );
  }

  /** The process, or its container, may end at any moment: then there is nothing left to do. */
  async #whileItLives(call: Promise<unknown>): Promise<void> {
    try {
      await call;
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      const gone = error.code === grpcStatus.notFound || error.code === grpcStatus.failedPrecondition;
      if (!gone && !/process already finished|not found|ttrpc: closed/.test(error.details)) throw error;
    }
  }
}

function withCommand(own: OciProcess, command: readonly string[], tty: boolean): OciProcess {
  const { consoleSize: _, env: ownEnv = [], ...rest } = own;
  const env = tty ? [...ownEnv.filter((entry) => !entry.startsWith('TERM=')), 'TERM=xterm'] : ownEnv;
  return { ...rest, args: [...command], terminal: tty, env };
}

/** Ending the returned stream closes the process's stdin after everything written before has been taken. */
function halfClosable(socket: Socket, closeStdin: () => Promise<void>): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback) {
      if (socket.destroyed) return callback();
      socket.write(chunk, (error) => callback(socket.destroyed ? null : error));
    },
    final(callback) {
      socket.end(() => {
        socket.destroy();
        closeStdin().then(() => callback(), callback);
      });
    },
  });
}

interface Collected {
  readonly ended: Promise<unknown>;
  text(): string;
}

function collect(streams: readonly Socket[]): Collected {
  const chunks: Buffer[] = [];
  let size = 0;
  for (const stream of streams)
    stream.on('data', (chunk: Buffer) => {
      if (size < maxSyncOutputBytes) chunks.push(chunk.subarray(0, maxSyncOutputBytes - size));
      size += chunk.length;
    });
  const ends = streams.map((stream) => new Promise((resolve) => stream.once('close', resolve)));
  return {
    ended: Promise.all(ends),
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

/** Whether the time was up, also as the cause of an error of ours. */
function isDeadline(error: unknown): boolean {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcStatus(inner, grpcStatus.deadlineExceeded);
}

function execError(cause: unknown, command: readonly string[]): Error {
  const text = cause instanceof GrpcError ? cause.details : String(cause);
  return new Error(`failed to exec "${command.join(' ')}" in the container: ${text}`, { cause });
}
