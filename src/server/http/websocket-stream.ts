import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Sink, StreamAnswer } from './exchange.ts';

/** Bytes as they are; bytes as base64 text. Both are old, and still what browsers ask for. */
const binaryProtocol = 'binary.k8s.io';
const base64Protocol = 'base64.binary.k8s.io';
/** Clients of streamed answers have nothing to say; more than a control frame is refused. */
const maxIncomingBytes = 4096;

/** True for the upgrade to a WebSocket; other upgrades are to SPDY. */
export function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** Sends a streamed answer (a log, a watch) as messages of a WebSocket. A watch has one message for each event. */
export async function streamOverWebSocket(
  request: IncomingMessage,
  connection: { socket: Duplex; head: Uint8Array },
  answer: StreamAnswer,
): Promise<void> {
  // Few clients come this way: the library is loaded when the first does.
  const { WebSocketServer } = await import('ws');
  const isWatch = answer.headers['content-type'] === 'application/json';
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxIncomingBytes,
    handleProtocols: (offered) => [binaryProtocol, base64Protocol].find((protocol) => offered.has(protocol)) ?? false,
  });
  server.handleUpgrade(request, connection.socket, Buffer.from(connection.head), (ws) => {
    ws.on('error', () => ws.terminate());
    answer.run(webSocketSink(ws, isWatch));
  });
}

function webSocketSink(ws: WebSocket, isWatch: boolean): Sink {
  const drains: (() => void)[] = [];
  const sendOne = (bytes: Uint8Array): void => {
    const done = (): void => {
      if (ws.bufferedAmount === 0) for (const listener of drains.splice(0)) listener();
    };
    if (isWatch) ws.send(Buffer.from(bytes).toString(), done);
    else if (ws.protocol === base64Protocol) ws.send(Buffer.from(bytes).toString('base64'), done);
    else ws.send(bytes, { binary: true }, done);
  };
  return {
    write(bytes) {
      if (isWatch) for (const line of linesOf(bytes)) sendOne(line);
      else sendOne(bytes);
      return ws.bufferedAmount === 0;
    },
    get bufferedBytes() {
      return ws.bufferedAmount;
    },
    onDrain: (listener) => drains.push(listener),
    onClose: (listener) => ws.once('close', listener),
    end: () => ws.close(1000),
    abort: () => ws.terminate(),
  };
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}
