import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { ChunkFrames } from './chunked-sink.ts';
import type { LargeBody } from './exchange.ts';
import { send } from './outgoing.ts';

/** A response whose peer takes one write at a time, when told to. */
class SlowResponse extends Writable {
  readonly received: string[] = [];
  #take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  writeHead(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.received.push(chunk.toString());
    this.#take = done;
  }

  take(): void {
    this.#take?.();
  }
}

describe('a large body', () => {
  it('is made as fast as its reader takes it', async () => {
    const response = new SlowResponse();
    let made = 0;
    const parts: LargeBody = {
      sizeBytes: 6,
      forms: undefined,
      head: Buffer.from('['),
      *pieces() {
        for (; made < 5; ) yield Buffer.from(String(made++));
      },
    };
    send(
      response as unknown as ServerResponse,
      { status: 200, headers: {}, parts },
      { method: 'GET', frames: new ChunkFrames() },
    );
    await new Promise(setImmediate);
    assert.equal(made, 1);
    while (!response.writableFinished) {
      response.take();
      await new Promise(setImmediate);
    }
    assert.deepEqual(response.received, ['[', '0', '1', '2', '3', '4']);
  });
});
