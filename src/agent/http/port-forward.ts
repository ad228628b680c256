import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpdyConnection } from '../../lib/spdy/connection.ts';
import type { SpdyStream } from '../../lib/spdy/stream.ts';

export const portForwardProtocol = 'portforward.k8s.io';
/** SPDY inside the messages of a WebSocket. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
/** Forwarded connections whose second stream has not come yet. */
const maxHalfOpen = 1_000;

type Dial = (port: number) => Promise<Duplex>;

/**
 * Serves a port-forward: for each TCP connection the client opens an `error` and a `data` stream with the same `requestid`.
 * `dial` connects to a port inside the pod.
 */
export function servePortForward(transport: Duplex, dial: Dial): void {
  const halves = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const connection = new SpdyConnection({
    socket: transport,
    role: 'server',
    onStream: (stream) => {
      const { streamtype, requestid = '', port = '' } = stream.headers;
      const key = `${requestid}/${port}`;
      const pair = halves.get(key) ?? {};
      if (streamtype === 'error') pair.error = stream;
      else if (streamtype === 'data') pair.data = stream;
      else return void stream.destroy();
      stream.accept();
      if (!pair.error || !pair.data) {
        if (halves.size >= maxHalfOpen) connection.close();
        halves.set(key, pair);
        return;
      }
      halves.delete(key);
      void forward(pair.error, pair.data, { port: Number(port), dial });
    },
    onClose: () => halves.clear(),
  });
}

async function forward(error: SpdyStream, data: SpdyStream, { port, dial }: { port: number; dial: Dial }): Promise<void> {
  error.resume();
  try {
    const inside = await dial(port);
    inside.on('error', () => inside.destroy());
    data.on('close', () => inside.destroy());
    inside.on('close', () => {
      error.end();
      if (!data.writableEnded) data.end();
    });
    data.pipe(inside);
    inside.pipe(data);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    error.end(`error forwarding port ${port} to pod: ${why}`);
    data.end();
  }
}

/** A WebSocket as a byte stream. */
export function websocketDuplex(socket: WebSocket): Duplex {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, { binary: true }, (error) => done(error ?? null)),
    final: (done) => {
      socket.close();
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (message: Buffer) => {
    if (!duplex.push(message)) socket.pause();
  });
  socket.on('close', () => duplex.push(null));
  socket.on('error', (error) => duplex.destroy(error));
  return duplex;
}
