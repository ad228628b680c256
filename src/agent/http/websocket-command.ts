import { PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { CommandChannels } from './remote-command.ts';
import { statusText, tellSize, type Wanted } from './spdy-command.ts';

/** In order of preference. */
export const websocketProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
] as const;

const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const normalClosure = 1000;

/** An exec or attach over WebSocket messages whose first byte (or digit, for base64) is the channel. */
export function websocketChannels(socket: WebSocket, wanted: Wanted): CommandChannels {
  const { protocol } = socket;
  const isText = protocol.includes('base64');
  const send = (channel: number, data: Uint8Array, done: (error?: Error) => void): void => {
    if (socket.readyState !== socket.OPEN) done();
    else if (isText) socket.send(`${channel}${Buffer.from(data).toString('base64')}`, done);
    else socket.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true }, done);
  };
  const output = (channel: number): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => send(channel, chunk, () => done()) });
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  // The first size comes before the command has been started.
  let size: Buffer | undefined;
  let resized = (data: Buffer): void => {
    size = data;
  };
  socket.on('message', (message: Buffer, binary: boolean) => {
    const [channel, data] = decode(message, isText || !binary);
    if (channel === Channel.stdin && stdin && !stdin.writableEnded) receive(socket, stdin, data);
    else if (channel === Channel.resize) resized(data);
    else if (channel === Channel.close && data[0] === Channel.stdin) stdin?.end();
  });
  socket.on('error', () => {});
  const stdout = wanted.stdout ? output(Channel.stdout) : undefined;
  const stderr = wanted.stderr && !wanted.tty ? output(Channel.stderr) : undefined;
  // Tells a client that waits for a first message that the connection stands.
  send(wanted.stdout ? Channel.stdout : stderr ? Channel.stderr : Channel.error, Buffer.alloc(0), () => {});
  return {
    stdin,
    stdout,
    stderr,
    onResize(callback) {
      resized = (data) => tellSize(data, callback);
      if (size) resized(size);
    },
    onGone: (callback) => {
      socket.on('close', () => {
        // Not its end: a container's own input stays open for the next client.
        stdin?.destroy();
        callback();
      });
    },
    finish(status) {
      const text = statusText(status, protocol);
      const close = (): void => socket.close(normalClosure);
      if (text === '') close();
      else send(Channel.error, Buffer.from(text), close);
    },
  };
}

function decode(message: Buffer, isText: boolean): [number, Buffer] {
  if (message.length === 0) return [-1, message];
  if (!isText) return [message[0]!, message.subarray(1)];
  return [message[0]! - 0x30, Buffer.from(message.toString('latin1', 1), 'base64')];
}

/** The socket is not read while the command is behind with its input. */
function receive(socket: WebSocket, stdin: PassThrough, data: Buffer): void {
  if (stdin.write(data)) return;
  socket.pause();
  stdin.once('drain', () => socket.resume());
}
