import type { Duplex } from 'node:stream';
import { SpdyConnection } from '../../lib/spdy/connection.ts';
import type { SpdyStream } from '../../lib/spdy/stream.ts';
import type { CommandChannels, CommandStatus } from './remote-command.ts';

/** Newest first, as clients offer them. */
export const spdyProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;
/** A client has this long to open its streams; upstream's value. */
const streamsTimeoutMs = 30_000;

export interface Wanted {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Waits for the streams of an exec or attach over SPDY. Rejects when the client does not open them in time. */
export function spdyChannels(transport: Duplex, wanted: Wanted, protocol: string): Promise<CommandChannels> {
  const resizable = wanted.tty && !['v2.channel.k8s.io', 'channel.k8s.io'].includes(protocol);
  const expected = new Set(['error']);
  if (wanted.stdin) expected.add('stdin');
  if (wanted.stdout) expected.add('stdout');
  if (wanted.stderr && !wanted.tty) expected.add('stderr');
  if (resizable) expected.add('resize');
  const streams = new Map<string, SpdyStream>();
  const goneCallbacks: (() => void)[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      connection.close();
      reject(new Error('timed out waiting for client to create streams'));
    }, streamsTimeoutMs);
    timer.unref();
    const connection = new SpdyConnection({
      socket: transport,
      role: 'server',
      onStream: (stream) => {
        stream.accept();
        const type = stream.headers['streamtype'] ?? '';
        streams.set(type, stream);
        expected.delete(type);
        if (expected.size > 0) return;
        clearTimeout(timer);
        resolve(channelsOf(connection, streams, { protocol, goneCallbacks }));
      },
      onClose: () => {
        clearTimeout(timer);
        reject(new Error('the client has gone'));
        for (const callback of goneCallbacks) callback();
      },
    });
  });
}

function channelsOf(
  connection: SpdyConnection,
  streams: ReadonlyMap<string, SpdyStream>,
  { protocol, goneCallbacks }: { protocol: string; goneCallbacks: (() => void)[] },
): CommandChannels {
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    onResize: (callback) => streams.get('resize')?.on('data', (data: Buffer) => tellSize(data, callback)),
    onGone: (callback) => goneCallbacks.push(callback),
    finish(status) {
      const error = streams.get('error');
      const written = [error, streams.get('stdout'), streams.get('stderr')].map(
        (stream) =>
          new Promise<void>((done) => (stream && !stream.destroyed ? stream.once('finish', done).once('close', done) : done())),
      );
      error?.end(statusText(status, protocol));
      streams.get('stdout')?.end();
      streams.get('stderr')?.end();
      void Promise.all(written).then(() => connection.close());
    },
  };
}

/** Old protocols know only a text for a failure. */
export function statusText(status: CommandStatus, protocol: string): string {
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status);
  return status.status === 'Success' ? '' : (status.message ?? '');
}

/** `{"Width":80,"Height":24}`; anything else is ignored. */
export function tellSize(data: Buffer, callback: (width: number, height: number) => void): void {
  try {
    const { Width, Height } = JSON.parse(data.toString('utf8')) as { Width?: number; Height?: number };
    if (Width && Height) callback(Width, Height);
  } catch {
    // A client that sends nonsense keeps its old size.
  }
}
