import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { type LogFilter, LogFormatter } from './log-lines.ts';
import { tailOffset } from './log-tail.ts';

const blockSize = 64 * 1024;

export interface LogRequest extends LogFilter {
  readonly path: string;
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
}

export interface LogSource {
  isRunning(): boolean;
  /** Calls back when the container has ended. */
  onEnd(callback: () => void): () => void;
}

/**
 * Writes a container's log to `out`. With `follow` it goes on until the container ends or `out` closes, woken by the file system, not by
 * a timer; a log that is rotated is read to its end first. Rejects with ENOENT when there is no log.
 */
export async function writeLog(request: LogRequest, source: LogSource, out: Writable): Promise<void> {
  let file = await open(request.path, 'r');
  const wake = new Wake();
  const watcher = request.follow ? watchFile(request.path, wake) : undefined;
  const forgetEnd = request.follow ? source.onEnd(() => wake.up()) : () => {};
  const closed = (): void => wake.up();
  out.on('close', closed);
  try {
    const { size } = await file.stat();
    let offset = request.tailLines === undefined ? 0 : await tailOffset(file, size, request.tailLines);
    const pump = new LogPump(request, out);
    for (;;) {
      // Asked before reading: what a container wrote before it ended is then certainly read.
      const running = source.isRunning();
      offset = await pump.readToEnd(file, offset);
      if (!request.follow || pump.finished || out.destroyed) return;
      const next = await rotatedTo(request.path, file);
      if (next) {
        await pump.readToEnd(file, offset);
        await file.close();
        file = next;
        offset = 0;
      } else if (!running) return;
      else await wake.wait();
    }
  } finally {
    out.off('close', closed);
    forgetEnd();
    watcher?.close();
    await file.close();
  }
}

class LogPump {
  readonly #formatter: LogFormatter;
  readonly #out: Writable;
  readonly #block = Buffer.alloc(blockSize);
  #left: number;

  constructor(request: LogRequest, out: Writable) {
    this.#formatter = new LogFormatter(request);
    this.#out = out;
    this.#left = request.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  get finished(): boolean {
    return this.#left <= 0;
  }

  /** Returns the offset of the end. */
  async readToEnd(file: FileHandle, from: number): Promise<number> {
    let offset = from;
    while (!this.finished && !this.#out.destroyed) {
      const { bytesRead } = await file.read(this.#block, 0, blockSize, offset);
      if (bytesRead === 0) break;
      offset += bytesRead;
      await this.#write(this.#formatter.format(Buffer.from(this.#block.subarray(0, bytesRead))));
    }
    return offset;
  }

  async #write(text: Buffer): Promise<void> {
    const part = text.length > this.#left ? text.subarray(0, this.#left) : text;
    this.#left -= part.length;
    if (part.length === 0 || this.#out.write(part)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#out.off('drain', done);
        this.#out.off('close', done);
        resolve();
      };
      this.#out.once('drain', done);
      this.#out.once('close', done);
    });
  }
}

/** The new file when the log has been renamed and begun anew. */
async function rotatedTo(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [current, there] = [await file.stat(), await stat(path).catch(() => undefined)];
  if (!there || there.ino === current.ino) return undefined;
  return open(path, 'r').catch(() => undefined);
}

function watchFile(path: string, wake: Wake): FSWatcher {
  const name = basename(path);
  const watcher = watch(dirname(path), (_event, changed) => {
    if (changed === null || changed === name) wake.up();
  });
  watcher.on('error', () => wake.up());
  return watcher;
}

/** Remembers a wake-up that came while nobody waited. */
class Wake {
  #pending = false;
  #resolve: (() => void) | undefined;

  up(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  async wait(): Promise<void> {
    if (!this.#pending) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#pending = false;
    this.#resolve = undefined;
  }
}
