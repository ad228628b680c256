import assert from 'node:assert/strict';
import type { ClientHttp2Stream } from 'node:http2';
import type { Json } from './api.ts';

export interface WatchEvent {
  readonly type: string;
  readonly object: Json;
}

const timeoutMs = 30_000;

/** The events of a watch, one after the other. */
export class WatchStream {
  readonly #stream: ClientHttp2Stream;
  readonly #path: string;
  readonly #waiting: WatchEvent[] = [];
  #rest = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(stream: ClientHttp2Stream, path: string) {
    this.#stream = stream;
    this.#path = path;
    stream.on('data', (chunk: Buffer) => this.#push(chunk.toString()));
    stream.on('error', () => this.#end());
    stream.on('close', () => this.#end());
  }

  /** Rejects when the server refuses. */
  static open(stream: ClientHttp2Stream, path: string): Promise<WatchStream> {
    return new Promise((resolve, reject) => {
      const watch = new WatchStream(stream, path);
      stream.once('error', reject);
      stream.once('response', (headers) => {
        if (headers[':status'] === 200) resolve(watch);
        else reject(new Error(`GET ${path}: ${headers[':status']}`));
      });
    });
  }

  /** The next event. Fails when the watch ends or nothing comes for half a minute. */
  async next(): Promise<WatchEvent> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const event = this.#waiting.shift();
      if (event) return event;
      assert.ok(!this.#ended, `the watch ${this.#path} ended`);
      await this.#change(deadline);
    }
  }

  /** Passes over events until one is as wanted. */
  async until(what: string, wanted: (event: WatchEvent) => boolean): Promise<WatchEvent> {
    const seen: string[] = [];
    for (;;) {
      const event = await this.next().catch((cause: Error) => {
        throw new Error(`${what}: ${cause.message}; came: ${seen.join(', ') || 'nothing'}`, { cause });
      });
      if (wanted(event)) return event;
      seen.push(`${event.type} ${event.object.metadata?.name}`);
    }
  }

  /** Checks the type of the next event and, when given, that it shows `object` as it was answered to whoever wrote it. */
  async expect(type: string, object?: Json): Promise<Json> {
    const event = await this.next();
    assert.equal(event.type, type, JSON.stringify(event));
    if (object) assert.deepEqual(event.object, object);
    return event.object;
  }

  /** Hands over event after event, however long it takes, until the watch ends. */
  async each(handle: (event: WatchEvent) => Promise<void>): Promise<void> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event) await handle(event);
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  stop(): void {
    this.#stream.close();
    this.#end();
  }

  #push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) if (line) this.#waiting.push(JSON.parse(line));
    this.#wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async #change(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        const late = (): void => reject(new Error(`the watch ${this.#path} brought nothing within ${timeoutMs} ms`));
        timer = setTimeout(late, deadline - performance.now());
      });
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}
