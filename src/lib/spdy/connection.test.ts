import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { duplexPair, type Readable } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SpdyConnection } from './connection.ts';
import { controlFrame, FrameParser, frameType, words } from './frames.ts';
import { HeaderReader, HeaderWriter } from './headers.ts';
import type { SpdyStream } from './stream.ts';

describe('SPDY', () => {
  test('header blocks of one connection are read in order', async () => {
    const [writer, reader] = [new HeaderWriter(), new HeaderReader()];
    for (const headers of [{ streamtype: 'error' }, {}, { port: '80', requestid: '0' }, { text: 'ü'.repeat(1000) }])
      assert.deepEqual(await reader.decode(writer.encode(headers)), headers);
    reader.close();
  });

  test('frames come whole, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), fc.integer({ min: 1, max: 50 }), (payloads, cut) => {
        const bytes = Buffer.concat(payloads.map((payload) => controlFrame(frameType.ping, false, Buffer.from(payload))));
        const parser = new FrameParser();
        const read: Buffer[] = [];
        for (let position = 0; position < bytes.length; position += cut) {
          parser.push(bytes.subarray(position, position + cut));
          for (let next = parser.next(); next; next = parser.next()) read.push(next.payload);
        }
        assert.deepEqual(
          read,
          payloads.map((payload) => Buffer.from(payload)),
        );
      }),
    );
  });

  test('a stream carries data both ways and half-closes', async () => {
    const { client, accepted } = connect();
    const near = client.open({ streamtype: 'data' });
    const far = await accepted;
    far.accept({ ok: 'yes' });
    assert.deepEqual(await near.replied, { ok: 'yes' });
    assert.deepEqual(far.headers, { streamtype: 'data' });
    const data = randomBytes(300_000);
    near.end(data);
    assert.ok((await bytes(far)).equals(data));
    far.end('after the other end');
    assert.equal((await bytes(near)).toString(), 'after the other end');
    client.close();
  });

  test('a reader that waits holds the writer back', async () => {
    const { client, accepted } = connect();
    const near = client.open({ streamtype: 'data' });
    const far = await accepted;
    far.accept();
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    while (near.write(chunk) && sent < 1000) {
      sent++;
      await new Promise(setImmediate);
    }
    assert.ok(sent < 100, `${sent} chunks went out unread`);
    near.end();
    assert.equal((await bytes(far)).length, (sent + 1) * chunk.length);
    client.close();
  });

  test('a refused stream says so, and destroying one resets it', async () => {
    const { client } = connect({ refuse: true });
    await assert.rejects(client.open({ streamtype: 'data' }).replied, /reset/);
    const other = connect();
    const near = other.client.open({ streamtype: 'data' });
    const far = await other.accepted;
    far.accept();
    await near.replied;
    far.resume();
    const closed = new Promise((resolve) => far.once('close', resolve));
    near.on('error', () => {});
    near.destroy();
    await closed;
    client.close();
    other.client.close();
  });

  test('the end of the connection ends its streams', async () => {
    const { client, server, accepted } = connect();
    const near = client.open({ streamtype: 'data' });
    (await accepted).accept();
    await near.replied;
    server.close();
    near.resume();
    await new Promise((resolve) => near.once('close', resolve));
  });

  test('a ping of the other side is answered', async () => {
    const [near, far] = duplexPair();
    const server = new SpdyConnection({ socket: far, role: 'server' });
    const ping = controlFrame(frameType.ping, false, words(1));
    near.write(ping);
    const answer = await new Promise((resolve) => near.once('data', resolve));
    assert.deepEqual(answer, ping);
    server.close();
  });

  test('a frame that is too long ends the connection', async () => {
    const [near, far] = duplexPair();
    const reason = await new Promise<Error | undefined>((resolve) => {
      new SpdyConnection({ socket: far, role: 'server', onClose: resolve });
      near.write(Buffer.from('8003000100ffffff', 'hex'));
    });
    assert.match(reason?.message ?? '', /SPDY frame/);
  });
});

function connect(options: { refuse?: boolean } = {}): {
  client: SpdyConnection;
  server: SpdyConnection;
  accepted: Promise<SpdyStream>;
} {
  const [near, far] = duplexPair();
  const { promise, resolve } = Promise.withResolvers<SpdyStream>();
  const server = new SpdyConnection({ socket: far, role: 'server', ...(options.refuse ? {} : { onStream: resolve }) });
  return { client: new SpdyConnection({ socket: near, role: 'client' }), server, accepted: promise };
}

/** Not by iteration, which would destroy the stream at the end of one direction. */
function bytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => stream.once('end', () => resolve(Buffer.concat(chunks))).once('error', reject));
}
