import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { ExecSession, Runtime } from '../../runtime/runtime.ts';
import { type ContainerAddress, HttpProblem, type PodAccess } from './pod-access.ts';
import { portForwardProtocol, servePortForward, tunnelProtocol, websocketDuplex } from './port-forward.ts';
import { runRemoteCommand } from './remote-command.ts';
import { spdyChannels, spdyProtocols, type Wanted } from './spdy-command.ts';
import { websocketChannels, websocketProtocols } from './websocket-command.ts';

/** Bytes of one WebSocket message. */
const maxMessageBytes = 1024 * 1024;

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly query: URLSearchParams;
}

/** exec, attach and port-forward: the requests that take over their connection. */
export class StreamingServer {
  readonly #runtime: Runtime;
  readonly #access: PodAccess;
  #websockets: Promise<WebSocketServer> | undefined;

  constructor(deps: { runtime: Runtime; access: PodAccess }) {
    this.#runtime = deps.runtime;
    this.#access = deps.access;
  }

  /** Rejects with an HttpProblem before the connection has been taken over. */
  async exec(upgrade: Upgrade, address: ContainerAddress): Promise<void> {
    const container = this.#access.running(address);
    const command = upgrade.query.getAll('command');
    if (command.length === 0) throw new HttpProblem(400, 'you must specify at least 1 command');
    const wanted = wantedStreams(upgrade.query);
    await this.#command(upgrade, wanted, () => this.#runtime.exec(container.id, { command, ...wanted }));
  }

  async attach(upgrade: Upgrade, address: ContainerAddress): Promise<void> {
    const container = this.#access.running(address);
    const wanted = wantedStreams(upgrade.query);
    await this.#command(upgrade, wanted, () => this.#runtime.attach(container.id, wanted));
  }

  async portForward(upgrade: Upgrade, { namespace, pod }: Pick<ContainerAddress, 'namespace' | 'pod'>): Promise<void> {
    const sandboxId = this.#access.sandboxId(namespace, pod);
    const dial = (port: number): Promise<Duplex> => this.#runtime.portForward(sandboxId, port);
    if (isWebSocket(upgrade.request)) {
      if (!offered(upgrade.request, 'sec-websocket-protocol').includes(tunnelProtocol))
        throw new HttpProblem(400, `unable to upgrade: the only protocol for port-forward is ${tunnelProtocol}`);
      const socket = await this.#acceptTunnel(upgrade);
      servePortForward(websocketDuplex(socket), dial);
      return;
    }
    const protocols = offered(upgrade.request, 'x-stream-protocol-version');
    if (protocols.length > 0 && !protocols.includes(portForwardProtocol))
      throw new HttpProblem(
        403,
        `unable to negotiate protocol: client supports [${protocols.join(' ')}], server accepts [${portForwardProtocol}]`,
      );
    acceptSpdy(upgrade, portForwardProtocol);
    servePortForward(upgrade.socket, dial);
  }

  async #command(upgrade: Upgrade, wanted: Wanted, open: () => Promise<ExecSession>): Promise<void> {
    if (isWebSocket(upgrade.request)) {
      const socket = await this.#acceptWebSocket(upgrade);
      await runRemoteCommand(websocketChannels(socket, wanted), open);
      return;
    }
    const protocols = offered(upgrade.request, 'x-stream-protocol-version');
    const protocol = protocols.length === 0 ? 'channel.k8s.io' : spdyProtocols.find((p) => protocols.includes(p));
    if (!protocol)
      throw new HttpProblem(
        403,
        `unable to negotiate protocol: client supports [${protocols.join(' ')}], server accepts [${spdyProtocols.join(' ')}]`,
      );
    acceptSpdy(upgrade, protocol);
    // Undefined: the client went away, or opened no streams in time, and there is nobody to answer.
    const channels = await spdyChannels(upgrade.socket, wanted, protocol).catch(() => undefined);
    if (channels) await runRemoteCommand(channels, open);
  }

  async #acceptWebSocket({ request, socket, head }: Upgrade): Promise<WebSocket> {
    const protocols = offered(request, 'sec-websocket-protocol');
    if (protocols.length > 0 && !websocketProtocols.some((p) => protocols.includes(p)))
      throw new HttpProblem(400, `unable to upgrade: none of [${protocols.join(' ')}] is supported`);
    const server = await this.#server();
    return new Promise((resolve) => server.handleUpgrade(request, socket, head, resolve));
  }

  /** ws refuses a protocol name with a slash: it is negotiated around ws. */
  async #acceptTunnel({ request, socket, head }: Upgrade): Promise<WebSocket> {
    delete request.headers['sec-websocket-protocol'];
    const server = await this.#server();
    const name = (headers: string[], of: IncomingMessage): void => {
      if (of === request) headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`);
    };
    server.on('headers', name);
    return new Promise((resolve) =>
      server.handleUpgrade(request, socket, head, (accepted) => {
        server.off('headers', name);
        resolve(accepted);
      }),
    );
  }

  /** Loaded with the first WebSocket: most agents see one rarely. */
  #server(): Promise<WebSocketServer> {
    this.#websockets ??= import('ws').then(
      ({ WebSocketServer }) =>
        new WebSocketServer({
          noServer: true,
          maxPayload: maxMessageBytes,
          perMessageDeflate: false,
          handleProtocols: (protocols) => websocketProtocols.find((p) => protocols.has(p)) ?? false,
        }),
    );
    return this.#websockets;
  }
}

const isWebSocket = (request: IncomingMessage): boolean => (request.headers.upgrade ?? '').toLowerCase() === 'websocket';

function offered(request: IncomingMessage, header: string): string[] {
  const value = request.headers[header];
  return [value ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '');
}

function wantedStreams(query: URLSearchParams): Wanted {
  const on = (...names: string[]): boolean => names.some((n) => ['1', 'true'].includes(query.get(n) ?? ''));
  const wanted = { stdin: on('input', 'stdin'), stdout: on('output', 'stdout'), stderr: on('error', 'stderr'), tty: on('tty') };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr)
    throw new HttpProblem(400, 'you must specify at least 1 of stdin, stdout, stderr');
  // A terminal has one output.
  return wanted.tty ? { ...wanted, stderr: false } : wanted;
}

function acceptSpdy({ socket, head }: Upgrade, protocol: string): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
}
