import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Duplex, Writable } from 'node:stream';
import { type ChunkFrames, chunkedSink } from './chunked-sink.ts';
import { type AnswerHeaders, bodySize, type FullAnswer, isStream, type Sink, type StreamAnswer, wholeBody } from './exchange.ts';
import { cut, pieceBytes, writePieces } from './pieces.ts';

export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Bodies over HTTP/1.1 up to this size are handed over as text: Node.js joins it to the head for one write, and would write bytes apart from it. */
const oneWriteBytes = 16 * 1024;

/** Sends an answer over HTTP/2 or HTTP/1.1. Returns the sink of an answer that goes on; `frames` are shared by all of these. */
export function send(
  response: NodeResponse,
  answer: FullAnswer | StreamAnswer,
  { method, frames }: { readonly method: string; readonly frames: ChunkFrames },
): Sink | undefined {
  if (isStream(answer)) {
    writeHead(response, answer.status, answer.headers);
    // Clients wait for the headers of a watch before anything happens.
    if ('flushHeaders' in response) response.flushHeaders();
    const chunked = 'stream' in response || method === 'HEAD' ? undefined : chunkedSink(response, frames);
    const sink = chunked ?? responseSink(response);
    answer.run(sink);
    return sink;
  }
  const size = bodySize(answer);
  if (answer.status !== 204 && answer.status !== 304) answer.headers['content-length'] = String(size);
  writeHead(response, answer.status, answer.headers);
  if (method === 'HEAD' || size === 0) {
    response.end();
    return undefined;
  }
  const stream = response as Writable;
  const { parts } = answer;
  if ('sizeBytes' in parts) {
    stream.write(parts.head);
    writePieces(stream, cut(parts.pieces()));
  } else if (size > pieceBytes) writePieces(stream, cut(parts));
  else if (size <= oneWriteBytes && !('stream' in response)) response.end(asText(parts), 'latin1');
  else sendParts(stream, parts);
  return undefined;
}

/** A character for each byte. */
function asText(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const { buffer, byteOffset, length } of parts) text += Buffer.from(buffer, byteOffset, length).toString('latin1');
  return text;
}

function sendParts(stream: Writable, parts: readonly Uint8Array[]): void {
  const last = parts.length - 1;
  for (const [i, part] of parts.entries()) {
    if (i < last) stream.write(part);
    else stream.end(part);
  }
}

function writeHead(response: NodeResponse, status: number, headers: AnswerHeaders): void {
  (response as ServerResponse).writeHead(status, headers);
}

function responseSink(response: NodeResponse): Sink {
  const r = response as ServerResponse;
  return {
    write: (bytes) => r.write(bytes),
    get bufferedBytes() {
      return r.writableLength;
    },
    onDrain: (listener) => r.once('drain', listener),
    onClose: (listener) => r.once('close', listener),
    end: () => r.end(),
    abort: () => r.destroy(),
  };
}

/** An answer to an upgrade request that is refused: HTTP/1.1 written by hand, then the connection closes. */
export function refuseUpgrade(socket: Duplex, answer: FullAnswer): void {
  const body = wholeBody(answer);
  socket.end(Buffer.concat([headText(answer.status, { ...answer.headers, 'content-length': String(body.length) }), body]));
}

/** A streamed answer to an upgrade request that nobody takes up: HTTP/1.1 by hand, ended by the end of the connection. */
export function streamAndClose(socket: Duplex, answer: StreamAnswer): void {
  socket.write(headText(answer.status, answer.headers));
  answer.run({
    write: (bytes) => socket.write(bytes),
    get bufferedBytes() {
      return socket.writableLength;
    },
    onDrain: (listener) => socket.once('drain', listener),
    onClose: (listener) => socket.once('close', listener),
    end: () => socket.end(),
    abort: () => socket.destroy(),
  });
}

function headText(status: number, headers: AnswerHeaders): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (const [name, value] of Object.entries({ ...headers, connection: 'close' }))
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Runs a streamed answer to its end and hands over all it wrote: for requests without a socket. */
export function collectStream(answer: StreamAnswer, done: (body: Uint8Array) => void): void {
  const chunks: Uint8Array[] = [];
  const closers: (() => void)[] = [];
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    for (const listener of closers) listener();
    done(Buffer.concat(chunks));
  };
  answer.run({
    write: (bytes) => chunks.push(bytes) > 0,
    bufferedBytes: 0,
    onDrain: () => {},
    onClose: (listener) => closers.push(listener),
    end: finish,
    abort: finish,
  });
}
