import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Codec } from './codec.ts';
import type { ApiDescriptor } from './descriptor.ts';
import { frame } from './framing.ts';
import { GrpcClient } from './grpc-client.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';

interface Text {
  readonly text: string;
}
interface Methods {
  readonly 'test.Service/Call': { readonly request: Text; readonly response: Text };
}
const path = 'test.Service/Call';
const descriptor: ApiDescriptor<Methods, { readonly Text: Text }> = {
  messages: { Text: [[1, 'text', 'string']] },
  enums: {},
  methods: { [path]: ['Text', 'Text'] },
};
const codec = new Codec(descriptor);
const reply = (text: string): Buffer => frame(codec.encode('Text', { text }));

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

describe('gRPC client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-grpc-'));
  const socketPath = join(folder, 'grpc.sock');
  const sessions = new Set<ServerHttp2Session>();
  const clients: GrpcClient<Methods, { readonly Text: Text }>[] = [];
  let server: Http2Server;
  let handle: Handler = () => {};

  before(async () => {
    server = createServer();
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      handle(stream, headers);
    });
    server.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  });
  after(() => {
    for (const client of clients) client.close();
    for (const session of sessions) session.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const connect = (onDisconnect?: () => void): GrpcClient<Methods, { readonly Text: Text }> => {
    const client = new GrpcClient({
      socketPath,
      descriptor,
      codec,
      metadata: { tenant: 'a' },
      ...(onDisconnect ? { onDisconnect } : {}),
    });
    clients.push(client);
    return client;
  };
  const answer = (frames: readonly Buffer[], trailers: Record<string, string> = { 'grpc-status': '0' }): void => {
    handle = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      for (const data of frames) stream.write(data);
      stream.end();
    };
  };
  const call = (timeoutMs = 5000): Promise<Text> => connect().unary(path, { text: 'question' }, { timeoutMs });
  const failsWith = (code: number, details: RegExp) => (error: unknown) => {
    assert.ok(error instanceof GrpcError);
    assert.equal(error.code, code);
    assert.match(error.details, details);
    return true;
  };

  test('sends the request with its headers and takes the answer', async () => {
    let seen: IncomingHttpHeaders = {};
    const received: Buffer[] = [];
    handle = (stream, headers) => {
      seen = headers;
      stream.on('data', (chunk: Buffer) => received.push(chunk));
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(reply('answer'));
      });
    };
    assert.deepEqual(await call(), { text: 'answer' });
    assert.equal(seen[':path'], '/test.Service/Call');
    assert.equal(seen['te'], 'trailers');
    assert.equal(seen['grpc-timeout'], '5000m');
    assert.equal(seen['tenant'], 'a');
    assert.deepEqual(Buffer.concat(received), reply('question'));
  });

  test('a status in the trailers is the error, its text decoded', async () => {
    answer([], { 'grpc-status': '5', 'grpc-message': 'no%20such%20th%C3%AFng 100%' });
    await assert.rejects(call(), failsWith(grpcStatus.notFound, /^no%20such/));
    answer([], { 'grpc-status': '5', 'grpc-message': 'no%20such%20th%C3%AFng' });
    await assert.rejects(call(), failsWith(grpcStatus.notFound, /^no such thïng$/));
  });

  test('a status in the headers alone (trailers-only) is the error', async () => {
    handle = (stream) => stream.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'unknown' }, { endStream: true });
    await assert.rejects(call(), failsWith(grpcStatus.unimplemented, /^unknown$/));
  });

  for (const [what, respond, code, details] of [
    ['another HTTP status', (s) => s.respond({ ':status': 503 }, { endStream: true }), grpcStatus.unavailable, /503/],
    ['a reset', (s) => s.close(2), grpcStatus.unavailable, /./],
    [
      'an end without a status',
      (s) => {
        s.respond({ ':status': 200 });
        s.end(reply('x'));
      },
      grpcStatus.unavailable,
      /ended before/,
    ],
    [
      'OK without a message',
      (s) => s.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true }),
      grpcStatus.internal,
      /without a message/,
    ],
  ] as readonly [string, Handler, number, RegExp][]) {
    test(`${what} is an error`, async () => {
      handle = respond;
      await assert.rejects(call(), failsWith(code, details));
    });
  }

  test('a call ends at its time limit', async () => {
    handle = () => {};
    await assert.rejects(call(20), failsWith(grpcStatus.deadlineExceeded, /0.02 s/));
  });

  test('a stream gives messages until it ends', async () => {
    answer([reply('one'), Buffer.concat([reply('two'), reply('three')])]);
    const texts: string[] = [];
    const error = await new Promise((resolve) => {
      connect().serverStream(path, { text: '' }, { onMessage: ({ text }) => texts.push(text), onEnd: resolve });
    });
    assert.equal(error, undefined);
    assert.deepEqual(texts, ['one', 'two', 'three']);
  });

  test('both sides of a call can take turns', async () => {
    handle = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.on('data', (chunk: Buffer) => stream.write(chunk));
      stream.on('end', () => stream.end());
    };
    const texts: string[] = [];
    await new Promise<void>((resolve) => {
      const duplex = connect().duplex(path, {
        onMessage: ({ text }) => {
          texts.push(text);
          if (texts.length < 3) duplex.send({ text: `${text}!` });
          else duplex.finish();
        },
        onEnd: () => resolve(),
      });
      duplex.send({ text: 'hi' });
    });
    assert.deepEqual(texts, ['hi', 'hi!', 'hi!!']);
  });

  test('a lost connection ends calls under way; the next call connects again', async () => {
    let lost = 0;
    const client = connect(() => lost++);
    answer([reply('first')]);
    await client.unary(path, { text: '' }, { timeoutMs: 5000 });
    handle = (stream) => stream.session?.destroy();
    await assert.rejects(client.unary(path, { text: '' }, { timeoutMs: 5000 }), failsWith(grpcStatus.unavailable, /./));
    answer([reply('second')]);
    assert.deepEqual(await client.unary(path, { text: '' }, { timeoutMs: 5000 }), { text: 'second' });
    assert.equal(lost, 1);
  });

  test('after GOAWAY calls under way finish and new ones use another connection', async () => {
    const client = connect();
    let finish = (): void => {};
    handle = (stream) => {
      stream.session?.goaway();
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.write(reply('early'));
      finish = () => stream.end(reply('late'));
    };
    const texts: string[] = [];
    const first = Promise.withResolvers<void>();
    const ended = new Promise((resolve) => {
      const onMessage = ({ text }: Text): void => {
        texts.push(text);
        first.resolve();
      };
      client.serverStream(path, { text: '' }, { onMessage, onEnd: resolve });
    });
    // The notice was sent before the message, so it has arrived.
    await first.promise;
    answer([reply('new')]);
    assert.deepEqual(await client.unary(path, { text: '' }, { timeoutMs: 5000 }), { text: 'new' });
    assert.equal(sessions.size >= 2, true);
    finish();
    assert.equal(await ended, undefined);
    assert.deepEqual(texts, ['early', 'late']);
  });

  test('nobody at the socket is unavailable, with the reason', async () => {
    const client = new GrpcClient({ socketPath: join(folder, 'none'), descriptor, codec });
    await assert.rejects(client.unary(path, { text: '' }, { timeoutMs: 5000 }), failsWith(grpcStatus.unavailable, /ENOENT/));
    client.close();
    await assert.rejects(client.unary(path, { text: '' }, { timeoutMs: 5000 }), failsWith(grpcStatus.unavailable, /closed/));
  });
});
