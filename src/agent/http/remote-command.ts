import { finished, type Readable, type Writable } from 'node:stream';
import type { StatusBody } from '../../api/status-error.ts';
import type { ExecSession } from '../../runtime/runtime.ts';

/** The client's side of an exec or attach, whatever protocol it speaks. */
export interface CommandChannels {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls back with the terminal's size whenever it changes. */
  onResize(callback: (width: number, height: number) => void): void;
  /** Calls back when the client has gone. */
  onGone(callback: () => void): void;
  /** Tells how the command ended and closes everything when that has been written. */
  finish(status: CommandStatus): void;
}

export type CommandStatus = Pick<StatusBody, 'metadata' | 'status'> & Partial<StatusBody>;

/** The status of a command that ended with this code; the form kubectl takes the exit code from. */
function exitStatus(exitCode: number): CommandStatus {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode' as never,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The status of a command that could not be run. */
function errorStatus(error: unknown): CommandStatus {
  const message = error instanceof Error ? error.message : String(error);
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', details: { causes: [{ message }] }, code: 500 };
}

/**
 * Connects a client with a command until the command has ended. A client that goes away ends the command.
 * `open` starts it; when that rejects the client is told why.
 */
export async function runRemoteCommand(channels: CommandChannels, open: () => Promise<ExecSession>): Promise<void> {
  let session: ExecSession;
  try {
    session = await open();
  } catch (error) {
    channels.finish(errorStatus(error));
    return;
  }
  // Both come too late when the process has ended by itself; how it ended is told from its exit.
  const close = (): void => void session.close().catch(() => {});
  channels.onGone(close);
  channels.onResize((width, height) => void session.resize(width, height).catch(() => {}));
  if (channels.stdin && session.stdin) {
    session.stdin.on('error', () => {});
    channels.stdin.pipe(session.stdin);
  }
  try {
    const outputs = [copy(session.stdout, channels.stdout), copy(session.stderr, channels.stderr)];
    const { exitCode } = await session.exit;
    await Promise.all(outputs);
    channels.finish(exitStatus(exitCode));
  } catch (error) {
    channels.finish(errorStatus(error));
    close();
  }
}

/** Resolves when everything has been written; output nobody wants is read away. A quick command's stream may have ended before this is called. */
function copy(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (!from) return Promise.resolve();
  if (to) from.pipe(to, { end: false });
  else from.resume();
  return new Promise((resolve) => {
    finished(from, { writable: false }, () => resolve());
    to?.once('close', resolve);
  });
}
