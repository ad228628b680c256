import type { SpdyConnection } from '../../lib/spdy/connection.ts';
import type { SpdyStream } from '../../lib/spdy/stream.ts';
import { type CriClient, callTimeoutMs } from '../cri/clients.ts';
import type { ExecRequest, ExecSession } from '../runtime.ts';
import { dialSpdy } from './spdy-dial.ts';

const protocol = 'v4.channel.k8s.io';

/**
 * The streams of a container's main process. containerd holds them, so this goes through its streaming server. The session ends with
 * the process, or when the other side closes it; its exit code is not told here but by the container's status.
 */
export async function attach(
  client: CriClient,
  containerId: string,
  request: Omit<ExecRequest, 'command'>,
): Promise<ExecSession> {
  const { stdin, stdout, tty } = request;
  const stderr = request.stderr && !tty;
  const { url } = await client.unary(
    'runtime.v1.RuntimeService/Attach',
    { container_id: containerId, stdin, stdout, stderr, tty },
    { timeoutMs: callTimeoutMs.read },
  );
  const connection = await dialSpdy(url, protocol);
  const open = (streamtype: string): SpdyStream => connection.open({ streamtype });
  const streams = {
    error: open('error'),
    stdin: stdin ? open('stdin') : undefined,
    stdout: stdout ? open('stdout') : undefined,
    stderr: stderr ? open('stderr') : undefined,
    resize: tty ? open('resize') : undefined,
  };
  const all = Object.values(streams).filter((stream) => stream !== undefined);
  for (const stream of all) stream.on('error', () => {});
  await Promise.all(all.map((stream) => stream.replied));
  streams.error.end();
  return {
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    resize: async (width, height) => {
      if (streams.resize?.writable) streams.resize.write(JSON.stringify({ Width: width, Height: height }));
    },
    exit: sessionEnd(connection, streams.error, [streams.stdout, streams.stderr]),
    close: async () => connection.close(),
  };
}

/** The error stream ends when the session does; what it says is a Status in JSON, or nothing. */
async function sessionEnd(
  connection: SpdyConnection,
  errorStream: SpdyStream,
  outputs: readonly (SpdyStream | undefined)[],
): Promise<{ exitCode: number }> {
  const outputsEnded = outputs.map(
    (output) => output && new Promise<void>((resolve) => output.once('end', resolve).once('close', resolve)),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of errorStream) chunks.push(chunk as Buffer);
  await Promise.all(outputsEnded);
  connection.close();
  return { exitCode: exitCodeOf(Buffer.concat(chunks).toString('utf8')) };
}

interface StreamStatus {
  readonly status?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** 0 for success and for a session that just ended; the code, or 1 when none is given, for a failure. */
function exitCodeOf(text: string): number {
  if (text === '') return 0;
  try {
    const status = JSON.parse(text) as StreamStatus;
    if (status.status !== 'Failure') return 0;
    const cause = status.details?.causes?.find((candidate) => candidate.reason === 'ExitCode');
    return cause?.message === undefined ? 1 : Number(cause.message);
  } catch {
    return 1;
  }
}
