import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { ChunkFrames } from './chunked-sink.ts';
import type { Sink } from './exchange.ts';
import { send } from './outgoing.ts';

describe('the sink of an answer in chunks', () => {
  const sinks: Sink[] = [];
  const frames = new ChunkFrames();
  const line = Buffer.from('{"type":"ADDED"}\n');
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      response.on('error', () => {});
      const answer = { status: 200, headers: {}, run: (sink: Sink) => void sinks.push(sink) };
      send(response, answer, { method: request.method!, frames });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  function ask(requests: string): { received: () => string; destroy: () => void } {
    sinks.length = 0;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.write(requests);
    return { received: () => text, destroy: () => socket.destroy() };
  }

  const bodies = (text: string): string[] => text.split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1);

  it('frames what is written, and ends so that the connection can be used again', async () => {
    const { received, destroy } = ask('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
    await eventually('both requests are taken', () => sinks.length === 2);
    const [first, second] = sinks as [Sink, Sink];
    second.write(Buffer.from('later'));
    second.write(new Uint8Array());
    first.write(line);
    first.write(new Uint8Array());
    first.write(line);
    first.end();
    second.end();
    await eventually('both answers', () => bodies(received()).length === 2 && received().endsWith('0\r\n\r\n'));
    assert.deepEqual(bodies(received()), [`11\r\n${line}\r\n11\r\n${line}\r\n0\r\n\r\n`, '5\r\nlater\r\n0\r\n\r\n']);
    destroy();
  });

  it('writes nothing after its end, where the next answer would be', async () => {
    const { received, destroy } = ask('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
    await eventually('both requests are taken', () => sinks.length === 2);
    const [first, second] = sinks as [Sink, Sink];
    first.end();
    await eventually('the first is answered', () => received().includes('0\r\n\r\n'));
    first.write(line);
    second.write(Buffer.from('later'));
    second.end();
    await eventually('the second is answered', () => received().includes('later'));
    assert.ok(!received().includes(line.toString()), received());
    destroy();
  });

  it('sends a client of HTTP/1.0 no chunks', async () => {
    const { received } = ask('GET / HTTP/1.0\r\n\r\n');
    await eventually('the request is taken', () => sinks.length === 1);
    sinks[0]!.write(line);
    sinks[0]!.end();
    await eventually('the answer', () => bodies(received())[0] === line.toString());
  });

  it('sends no body after HEAD', async () => {
    const { received, destroy } = ask('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('the request is taken', () => sinks.length === 1);
    sinks[0]!.write(line);
    sinks[0]!.end();
    await eventually('the head', () => bodies(received()).length === 1);
    assert.equal(bodies(received())[0], '');
    destroy();
  });

  it('makes a chunk once for all who are sent the same', () => {
    assert.equal(frames.of(line), frames.of(line));
  });
});
