import { close, constants, open } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { FifoStock } from './fifo-stock.ts';

const openFile = promisify(open);
const closeFile = promisify(close);

/** Output is over when the process has ended and nothing has come for this long, although somebody still holds the pipe open. */
const silenceMs = 1000;

export interface StreamSelection {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Our ends of the named pipes that a shim copies a process's streams through. */
export class ProcessStreams {
  readonly stdin: Socket | undefined;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket | undefined;
  /** The pipes for the shim; empty text = no such stream. */
  readonly paths: { readonly stdin: string; readonly stdout: string; readonly stderr: string };

  private constructor(paths: ProcessStreams['paths'], sockets: Record<keyof StreamSelection, Socket | undefined>) {
    this.paths = paths;
    this.stdin = sockets.stdin;
    this.stdout = sockets.stdout;
    this.stderr = sockets.stderr;
  }

  /**
   * Every stream has a pipe of its own: the shim opens them one after the other, and of a pipe for two streams our end may have seen
   * the end of the first before the second is opened.
   */
  static async open(stock: FifoStock, selection: StreamSelection): Promise<ProcessStreams> {
    const names = (['stdin', 'stdout', 'stderr'] as const).filter((name) => selection[name]);
    const fifos = await stock.take(names.length);
    const path = (name: (typeof names)[number]): string => fifos[names.indexOf(name)] ?? '';
    const sockets: Record<keyof StreamSelection, Socket | undefined> = { stdin: undefined, stdout: undefined, stderr: undefined };
    for (const name of names) sockets[name] = name === 'stdin' ? await openWriter(path(name)) : await openReader(path(name));
    return new ProcessStreams({ stdin: path('stdin'), stdout: path('stdout'), stderr: path('stderr') }, sockets);
  }

  /** Once the process has ended: resolves when its output has been read by whoever reads our streams. */
  async drained(): Promise<void> {
    await Promise.all([this.stdout, this.stderr].map((stream) => stream && ended(stream)));
  }

  /** Both sides are done: closes our ends and deletes the pipes. */
  async close(): Promise<void> {
    for (const socket of [this.stdin, this.stdout, this.stderr]) socket?.destroy();
    await this.deleteFiles();
  }

  /** The open ends stay usable; a crash from now on leaves no files. */
  async deleteFiles(): Promise<void> {
    for (const path of Object.values(this.paths)) if (path !== '') await rm(path, { force: true });
  }
}

/** Opened without waiting for a writer; libuv reports the end only after a writer has come and gone. */
async function openReader(path: string): Promise<Socket> {
  const fd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return wrap(fd, { readable: true, writable: false });
}

/** Opened for reading too, because opening only for writing fails until the shim has opened its end. */
async function openWriter(path: string): Promise<Socket> {
  const fd = await openFile(path, constants.O_RDWR | constants.O_NONBLOCK);
  return wrap(fd, { readable: false, writable: true });
}

async function wrap(fd: number, sides: { readable: boolean; writable: boolean }): Promise<Socket> {
  try {
    const socket = new Socket({ fd, ...sides });
    socket.on('error', () => socket.destroy());
    return socket;
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

/** A background child may keep the pipe open for ever: then silence, with everything read, counts as the end. */
function ended(stream: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (isOver(stream)) return resolve();
    let seen = -1;
    const timer = setInterval(() => {
      const total = stream.bytesRead;
      if (total === seen && stream.readableLength === 0) stream.push(null);
      seen = total;
    }, silenceMs);
    const done = (): void => {
      clearInterval(timer);
      resolve();
    };
    stream.once('end', done).once('close', done);
  });
}

function isOver(stream: Readable): boolean {
  return stream.readableEnded || stream.destroyed;
}
