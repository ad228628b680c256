import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { ChunkFrames } from './chunked-sink.ts';
import type { LargeBody } from './exchange.ts';
import { send } from './outgoing.ts';
import { pieceBytes } from './pieces.ts';

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

describe('a small answer', () => {
  it('goes out in one write with its head, and byte for byte', async () => {
    const parts = [Buffer.from('{"a":"Überraschung '), Buffer.from([0, 0x7f, 0x80, 0xff]), Buffer.from('"}')];
    let writes = 0;
    const server = createServer((_, response) => {
      const { socket } = response;
      const write = socket!.write.bind(socket) as (...args: unknown[]) => boolean;
      Object.assign(socket!, { write: (...args: unknown[]) => ++writes > 0 && write(...args) });
      send(response, { status: 200, headers: {}, parts }, { method: 'GET', frames: new ChunkFrames() });
    });
    try {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const [answer] = (await once(get({ port, host: '127.0.0.1', agent: false }), 'response')) as [IncomingMessage];
      assert.deepEqual(Buffer.concat(await answer.toArray()), Buffer.concat(parts));
      assert.equal(writes, 1);
    } finally {
      server.close();
    }
  });
});

describe('what is sent', () => {
  const size = 5 * pieceBytes + 7;
  const bytes = Buffer.alloc(size, 'abcdefg');
  const longest = (response: SlowResponse): number => Math.max(...response.received.map(({ length }) => length));

  async function takeAll(response: SlowResponse): Promise<void> {
    for (; !response.writableFinished; await new Promise(setImmediate)) response.take();
    assert.ok(bytes.equals(Buffer.from(response.received.join(''))));
    assert.ok(longest(response) <= pieceBytes, `${longest(response)} bytes at once`);
  }

  it('goes out in pieces, whatever its parts', async () => {
    for (const parts of [[bytes], [bytes.subarray(0, 10), bytes.subarray(10)]]) {
      const response = new SlowResponse();
      send(
        response as unknown as ServerResponse,
        { status: 200, headers: {}, parts },
        { method: 'GET', frames: new ChunkFrames() },
      );
      assert.ok(response.writableLength <= pieceBytes);
      await takeAll(response);
    }
  });
});
