import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, type StatusError } from '../../../api/status-error.ts';
import type { Answer, AnswerHeaders, Exchange, Headers } from '../../http/exchange.ts';
import { streamAndClose } from '../../http/outgoing.ts';
import { contentHeaders, pump } from './forward.ts';

/** Headers of an upgrade that the far side must see; credentials are the server's own business. */
const passed = /^(?:upgrade|connection|sec-websocket-[a-z]+|x-stream-protocol-version|user-agent|origin)$/;
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./;

/**
 * Sends the client's upgrade request on to `backend` under another path. When the backend has switched protocols, bytes pass both ways without a
 * look at them: what they speak (WebSocket, SPDY) is between the client and the node. Until then the client's bytes stay here: a backend that
 * answers otherwise would read them as further requests of this server's. Rejects with what `onError` makes of a connection that breaks.
 */
export function passUpgrade(
  exchange: Exchange,
  backend: Duplex,
  { path, host, onError }: { path: string; host: string; onError: (error: Error) => StatusError },
): Promise<Answer> {
  const { upgrade, method } = exchange;
  if (!upgrade) throw badRequest('Upgrade request required');
  const client = upgrade.socket;
  return new Promise((resolve, reject) => {
    const takeOver = (): void => resolve({ status: 101, takenOver: true });
    const headers = { ...upgradeHeaders(exchange.headers), host };
    const request = httpRequest({ createConnection: () => backend, method, path, headers });
    exchange.onClose(() => backend.destroy());
    request.on('error', (error) => reject(onError(error)));
    request.on('response', (response) => {
      const answer = { status: response.statusCode ?? 502, headers: contentHeaders(response.headers) };
      streamAndClose(client, { ...answer, run: (sink) => pump(response, sink) });
      takeOver();
    });
    request.on('upgrade', (response, _socket, head) => {
      client.write(switchingProtocols(response), 'latin1');
      client.write(head);
      backend.write(upgrade.head);
      join(client, backend);
      takeOver();
    });
    request.end();
  });
}

function upgradeHeaders(headers: Headers): AnswerHeaders {
  const kept: AnswerHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!passed.test(name) || value === undefined) continue;
    const values = typeof value === 'string' ? [value] : [...value];
    const texts = name === 'sec-websocket-protocol' ? values.map(withoutToken).filter(Boolean) : values;
    if (texts.length > 0) kept[name] = texts;
  }
  return kept;
}

function withoutToken(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !tokenProtocol.test(protocol))
    .join(', ');
}

/** The backend's head as it came. */
function switchingProtocols({ statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 101 ${statusMessage || 'Switching Protocols'}`];
  for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Half-closes pass through; an error on one side breaks the other. */
function join(client: Duplex, backend: Duplex): void {
  const breakBoth = (): void => {
    client.destroy();
    backend.destroy();
  };
  for (const side of [client, backend]) side.on('error', breakBoth);
  client.once('close', () => backend.destroy());
  backend.once('close', () => client.end());
  client.pipe(backend);
  backend.pipe(client);
}
