import type { Duplex } from 'node:stream';
import { badRequest } from '../../../api/status-error.ts';
import type { Answer, Exchange, Headers } from '../../http/exchange.ts';

/** Headers of an upgrade that the far side must see; credentials are the server's own business. */
const passed = /^(?:upgrade|connection|sec-websocket-[a-z]+|x-stream-protocol-version|user-agent|origin)$/;
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./;

/**
 * Sends the client's upgrade request on to `backend` under another path and then passes bytes both ways without looking at them: what
 * they speak (WebSocket, SPDY) is between the client and the node.
 */
export function passUpgrade(
  exchange: Exchange,
  backend: Duplex,
  target: { path: string; host: string; headers?: Record<string, string> },
): Answer {
  const { upgrade } = exchange;
  if (!upgrade) throw badRequest('Upgrade request required');
  const lines = [`${exchange.method} ${target.path} HTTP/1.1`, `host: ${target.host}`];
  for (const [name, value] of Object.entries(target.headers ?? {})) lines.push(`${name}: ${value}`);
  lines.push(...upgradeHeaders(exchange.headers));
  backend.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (upgrade.head.length > 0) backend.write(upgrade.head);
  join(upgrade.socket, backend);
  return { status: 101, takenOver: true };
}

function upgradeHeaders(headers: Headers): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!passed.test(name) || value === undefined) continue;
    for (const one of typeof value === 'string' ? [value] : value) {
      const text = name === 'sec-websocket-protocol' ? withoutToken(one) : one;
      if (text) lines.push(`${name}: ${text.replace(/[\r\n]/g, '')}`);
    }
  }
  return lines;
}

function withoutToken(protocols: string): string {
  return protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !tokenProtocol.test(protocol))
    .join(', ');
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
