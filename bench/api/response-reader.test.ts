import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResponseReader } from './response-reader.ts';

const answers: readonly { name: string; bytes: string; status: number; body: string; keepAlive: boolean }[] = [
  {
    name: 'with a length',
    bytes: 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello',
    status: 201,
    body: 'hello',
    keepAlive: true,
  },
  {
    name: 'in chunks',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe\r\nl\r\nB\r\no, chunked!\r\n0\r\n\r\n',
    status: 200,
    body: 'he\r\nlo, chunked!',
    keepAlive: true,
  },
  { name: 'with a length of 0', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', status: 200, body: '', keepAlive: true },
  { name: 'without a body', bytes: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: '', keepAlive: true },
  {
    name: 'which ends the connection',
    bytes: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno',
    status: 400,
    body: 'no',
    keepAlive: false,
  },
];

describe('response reader', () => {
  for (const { name, bytes, status, body, keepAlive } of answers)
    for (const pieceBytes of [1, 7, bytes.length])
      it(`reads an answer ${name}, ${pieceBytes} bytes at a time, and the one after it`, () => {
        const reader = new ResponseReader();
        for (let turn = 0; turn < 2; turn++) {
          let text = '';
          let heads = 0;
          const ends: unknown[] = [];
          reader.expect({
            onHead: () => heads++,
            onBody: (piece) => {
              text += piece.toString();
            },
            onEnd: (...end) => ends.push(end),
          });
          for (let at = 0; at < bytes.length; at += pieceBytes) reader.read(Buffer.from(bytes.slice(at, at + pieceBytes)));
          assert.deepEqual({ text, heads, ends }, { text: body, heads: 1, ends: [[status, keepAlive]] });
        }
      });

  it('refuses what is not HTTP/1.1', () => {
    assert.throws(() => new ResponseReader().read(Buffer.from('\x15\x03\r\n\r\n')), /no HTTP\/1.1 answer/);
  });
});
