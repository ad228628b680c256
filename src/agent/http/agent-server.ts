import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { LogRequest } from './log-reader.ts';
import { writeLog } from './log-reader.ts';
import { type ContainerAddress, HttpProblem, type PodAccess } from './pod-access.ts';
import type { StreamingServer } from './streaming.ts';

/** The only client: the API server, which has authorized the user's request. */
const apiServerName = 'kube-apiserver-kubelet-client';
/** Requests served at a time; logs are followed for long. */
const maxConnections = 1_000;

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

export interface AgentServerDeps {
  readonly log: Logger;
  readonly access: PodAccess;
  readonly streaming: StreamingServer;
  readonly host: string;
  readonly port: number;
  readonly tls: () => TlsMaterial;
  /** Pages without parameters: `/stats/summary` and the like. */
  readonly pages: Readonly<Record<string, () => Promise<{ type: string; body: string }>>>;
}

/** The agent's HTTPS server, with the paths of the kubelet. */
export class AgentServer implements Component {
  readonly name = 'agent-http';
  readonly #deps: AgentServerDeps;
  /** Connections that streams have taken over: the HTTP server no longer knows them. */
  readonly #upgraded = new Set<Duplex>();
  #server: Server | undefined;

  constructor(deps: AgentServerDeps) {
    this.#deps = deps;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  async start(): Promise<void> {
    const { host, port } = this.#deps;
    // Authorization is by the certificate; one that does not verify gets a proper 401.
    const server = createServer({ ...this.#deps.tls(), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    this.#server = server;
    server.maxConnections = maxConnections;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.#upgrade(request, socket, head));
    server.on('tlsClientError', (error) => this.#deps.log.debug('a TLS handshake failed', { error }));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new Error(`the agent cannot listen on port ${port}: is another kubelet or agent running?`, { cause })),
      );
      server.listen(port, host, resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Certificates have been renewed. */
  reloadTls(): void {
    this.#server?.setSecureContext(this.#deps.tls());
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      authorize(request);
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else {
        const code = error instanceof HttpProblem ? error.code : 500;
        response.writeHead(code, { 'content-type': 'text/plain' });
        response.end(`${error instanceof Error ? error.message : String(error)}\n`);
      }
      if (!(error instanceof HttpProblem)) this.#deps.log.warn('a request failed', { path: request.url, error });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://agent');
    const page = this.#deps.pages[pathname];
    if (page) {
      const { type, body } = await page();
      response.writeHead(200, { 'content-type': type });
      response.end(body);
      return;
    }
    const parts = pathname.split('/').slice(1).map(decodeURIComponent);
    if (parts[0] === 'containerLogs' && parts.length === 4) return this.#logs(response, searchParams, addressOf(parts));
    if (['exec', 'attach', 'portForward'].includes(parts[0] ?? '')) throw new HttpProblem(400, 'Upgrade request required');
    throw new HttpProblem(404, '404 page not found');
  }

  async #logs(response: ServerResponse, query: URLSearchParams, address: ContainerAddress): Promise<void> {
    const { container, path } = this.#deps.access.log(address, query.get('previous') === 'true');
    response.setHeader('content-type', 'text/plain');
    const source = {
      isRunning: () => this.#deps.access.isRunning(container.id),
      onEnd: (callback: () => void) => this.#deps.access.onEnd(container.id, callback),
    };
    // Nothing may come for a long time: the client is to know that its request was accepted.
    if (query.get('follow') === 'true') response.flushHeaders();
    try {
      await writeLog(logRequest(path, query), source, response);
    } catch (error) {
      // A container that has not written anything has no log yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    response.end();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#upgraded.delete(socket));
    this.#upgraded.add(socket);
    try {
      authorize(request);
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://agent');
      const parts = pathname.split('/').slice(1).map(decodeURIComponent);
      const upgrade = { request, socket, head, query: searchParams };
      const { streaming } = this.#deps;
      if (parts[0] === 'exec' && parts.length === 4) await streaming.exec(upgrade, addressOf(parts));
      else if (parts[0] === 'attach' && parts.length === 4) await streaming.attach(upgrade, addressOf(parts));
      else if (parts[0] === 'portForward' && parts.length >= 3) await streaming.portForward(upgrade, addressOf(parts));
      else throw new HttpProblem(404, '404 page not found');
    } catch (error) {
      const code = error instanceof HttpProblem ? error.code : 500;
      const text = `${error instanceof Error ? error.message : String(error)}\n`;
      socket.end(
        `HTTP/1.1 ${code} ${code === 500 ? 'Internal Server Error' : 'Refused'}\r\nContent-Type: text/plain\r\n` +
          `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
    }
  }
}

function authorize(request: IncomingMessage): void {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) throw new HttpProblem(401, 'Unauthorized');
  if (socket.getPeerCertificate().subject?.CN !== apiServerName)
    throw new HttpProblem(403, 'Forbidden: only the API server may ask');
}

const addressOf = (parts: readonly string[]): ContainerAddress => ({
  namespace: parts[1] ?? '',
  pod: parts[2] ?? '',
  container: parts[3] ?? '',
});

/** Throws an HttpProblem for values that are no numbers or times. */
function logRequest(path: string, query: URLSearchParams, nowMs = Date.now()): LogRequest {
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new HttpProblem(400, `invalid value for ${name}: ${text}`);
    return value;
  };
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = query.get('sinceTime') ? Date.parse(query.get('sinceTime')!) : undefined;
  if (sinceTime !== undefined && Number.isNaN(sinceTime)) throw new HttpProblem(400, 'invalid value for sinceTime');
  const sinceMs = sinceSeconds === undefined ? sinceTime : nowMs - sinceSeconds * 1000;
  const [tailLines, limitBytes] = [number('tailLines'), number('limitBytes')];
  const stream = query.get('stream')?.toLowerCase();
  return {
    path,
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
  };
}
