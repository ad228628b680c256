import type { ServerResponse } from 'node:http';
import type { Sink } from './exchange.ts';

/** Bytes as chunks of HTTP/1.1: each made once for all who are sent the same bytes, and kept as long as these are. */
export class ChunkFrames {
  readonly #frames = new WeakMap<Uint8Array, Uint8Array>();

  of(bytes: Uint8Array): Uint8Array {
    const known = this.#frames.get(bytes);
    if (known) return known;
    const size = `${bytes.length.toString(16)}\r\n`;
    const frame = Buffer.allocUnsafeSlow(size.length + bytes.length + 2);
    frame.write(size, 'latin1');
    frame.set(bytes, size.length);
    frame.write('\r\n', size.length + bytes.length, 'latin1');
    this.#frames.set(bytes, frame);
    return frame;
  }
}

/**
 * The sink of an answer in chunks whose head is on its way. Chunks go straight to the socket: a ServerResponse would make three writes of each, at the
 * end of the turn. Undefined when another answer comes before this one, or the client does not take chunks.
 */
export function chunkedSink(response: ServerResponse, frames: ChunkFrames): Sink | undefined {
  const { socket } = response;
  if (!socket || !response.chunkedEncoding) return undefined;
  return {
    write(bytes) {
      // The socket may carry the next answer by now: the response says what is wrong.
      if (response.writableEnded) return response.write(bytes);
      // Nothing to send is no chunk: an empty one would end the answer.
      return bytes.length === 0 || socket.write(frames.of(bytes));
    },
    get bufferedBytes() {
      return socket.writableLength;
    },
    onDrain: (listener) => socket.once('drain', listener),
    onClose: (listener) => response.once('close', listener),
    end: () => response.end(),
    abort: () => response.destroy(),
  };
}
