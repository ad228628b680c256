import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { Container, GRPCAction, HTTPGetAction, IntOrString, TCPSocketAction } from '../../api/generated/types.ts';

export interface ActionResult {
  readonly ok: boolean;
  /** Upstream's words: what kubectl shows after `probe failed: `. */
  readonly output: string;
}

export interface ActionTarget {
  /** The pod's address. */
  readonly host: string;
  readonly container: Container;
  readonly timeoutMs: number;
}

/** Bytes of an answer that are looked at. */
const maxBody = 10 * 1024;
const maxRedirects = 10;
const userAgent = 'kube-probe/1.36';

/** The number of a port given by number or by the name of one of the container's ports. Throws when there is none of that name. */
function portNumber(port: IntOrString, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((p) => p.name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number) || number <= 0)
    throw new Error(`couldn't find port: ${JSON.stringify(port)} in the container ${container.name}`);
  return number;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** An HTTP GET; success is a status from 200 to 399. Certificates are not verified. */
export async function httpGet(action: HTTPGetAction, target: ActionTarget): Promise<ActionResult> {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const host = action.host || target.host;
  const path = (action.path ?? '/').startsWith('/') ? (action.path ?? '/') : `/${action.path}`;
  const url = `${scheme}://${bracketed(host)}:${portNumber(action.port, target.container)}${path}`;
  const headers: Record<string, string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) (headers[name.toLowerCase()] ??= []).push(value);
  return follow(url, headers, { deadlineAt: performance.now() + target.timeoutMs, redirects: maxRedirects });
}

async function follow(
  url: string,
  headers: Record<string, string[]>,
  limits: { deadlineAt: number; redirects: number },
): Promise<ActionResult> {
  const answer = await getOnce(url, headers, limits.deadlineAt - performance.now());
  if ('output' in answer) return answer;
  const { status, location, body } = answer;
  if (status >= 300 && status < 400 && location) {
    const next = new URL(location, url);
    // A redirect to another host says nothing about this container.
    if (next.hostname !== new URL(url).hostname)
      return { ok: true, output: `Probe terminated redirects, Response body: ${body}` };
    if (limits.redirects === 0) return { ok: false, output: `Get "${url}": stopped after ${maxRedirects} redirects` };
    return follow(next.href, headers, { ...limits, redirects: limits.redirects - 1 });
  }
  if (status >= 200 && status < 400) return { ok: true, output: body };
  return { ok: false, output: `HTTP probe failed with statuscode: ${status}` };
}

type Answer = { status: number; location: string | undefined; body: string };

async function getOnce(url: string, headers: Record<string, string[]>, timeoutMs: number): Promise<Answer | ActionResult> {
  const start = url.startsWith('https:') ? (await import('node:https')).request : httpRequest;
  const { host, ...others } = headers;
  return new Promise((resolve) => {
    const fail = (why: string): void => resolve({ ok: false, output: `Get "${url}": ${why}` });
    const request = start(
      url,
      {
        agent: false,
        rejectUnauthorized: false,
        headers: { 'user-agent': userAgent, accept: '*/*', connection: 'close', ...(host ? { host: host[0] } : {}), ...others },
      },
      (response: IncomingMessage) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString('utf8').slice(0, maxBody - body.length);
        });
        const done = (): void => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, location: response.headers.location, body });
        };
        response.on('end', done);
        response.on('error', done);
      },
    );
    const timer = setTimeout(
      () => {
        fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
        request.destroy();
      },
      Math.max(0, timeoutMs),
    );
    timer.unref();
    request.on('error', (error) => {
      clearTimeout(timer);
      fail(dialError(error, new URL(url)));
    });
    request.end();
  });
}

function dialError(error: Error, { hostname, port, protocol }: URL): string {
  const address = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ECONNRESET':
      return 'EOF';
    default:
      return error.message;
  }
}

/** Success is a connection. */
export function tcpConnect(action: TCPSocketAction, target: ActionTarget): Promise<ActionResult> {
  const host = action.host || target.host;
  const port = portNumber(action.port, target.container);
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const end = (result: ActionResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => end({ ok: false, output: `dial tcp ${bracketed(host)}:${port}: i/o timeout` }),
      target.timeoutMs,
    );
    timer.unref();
    socket.once('connect', () => end({ ok: true, output: '' }));
    socket.once('error', (error) => end({ ok: false, output: dialError(error, new URL(`http://${bracketed(host)}:${port}`)) }));
  });
}

/** The gRPC health protocol: success is the answer SERVING. Reference: github.com/grpc/grpc/blob/master/doc/health-checking.md. */
export async function grpcCheck(action: GRPCAction, target: ActionTarget): Promise<ActionResult> {
  const http2 = await import('node:http2');
  const authority = `${bracketed(target.host)}:${action.port}`;
  return new Promise((resolve) => {
    const session = http2.connect(`http://${authority}`);
    const end = (result: ActionResult): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () =>
        end({
          ok: false,
          output: `timeout: failed to connect service "${authority}" within ${target.timeoutMs / 1000}s: context deadline exceeded`,
        }),
      target.timeoutMs,
    );
    timer.unref();
    session.on('error', () => end({ ok: false, output: `error: failed to connect to service at "${authority}"` }));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': userAgent,
    });
    const chunks: Buffer[] = [];
    let status = '0';
    stream.on('response', (headers) => (status = String(headers['grpc-status'] ?? status)));
    stream.on('trailers', (headers) => (status = String(headers['grpc-status'] ?? status)));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (error) => end({ ok: false, output: `error: health rpc probe failed: ${error.message}` }));
    stream.on('end', () => end(servingResult(status, Buffer.concat(chunks))));
    stream.end(healthRequest(action.service ?? ''));
  });
}

/** HealthCheckRequest{service: 1} in a gRPC frame. */
function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** HealthCheckResponse{status: 1} as a varint. */
function servingResult(grpcStatus: string, body: Buffer): ActionResult {
  if (grpcStatus === '12')
    return { ok: false, output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)' };
  if (grpcStatus !== '0') return { ok: false, output: `error: health rpc probe failed with status ${grpcStatus}` };
  const value = body[5] === 0x08 ? (body[6] ?? 0) : 0;
  if (value === 1) return { ok: true, output: 'service healthy' };
  return { ok: false, output: `service unhealthy (responded with "${servingStatuses[value] ?? value}")` };
}
