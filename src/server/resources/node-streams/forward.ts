import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { StatusError } from '../../../api/status-error.ts';
import type { Answer, AnswerHeaders, Exchange, Sink } from '../../http/exchange.ts';

export interface ForwardTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string | string[]>;
  readonly tls?: { cert?: string; key?: string; ca?: string; rejectUnauthorized?: boolean };
  readonly timeoutMs: number;
  readonly onError: (error: Error) => StatusError;
}

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Makes a request of the server's own; resolves with the response when its headers are there. */
export function open(exchange: Exchange, target: ForwardTarget, sendBody: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { scheme, host, port, path, method, headers, tls, timeoutMs } = target;
    const body = sendBody ? exchange.bodyStream() : undefined;
    // Node.js sends what follows a GET without a length as it is: the far side would read it as another request.
    const framing = body && headers['content-length'] === undefined ? { 'transfer-encoding': 'chunked' } : {};
    const options: RequestOptions = { host, port, path, method, headers: { ...headers, ...framing }, agent: false, ...tls };
    const request: ClientRequest = (scheme === 'https' ? httpsRequest : httpRequest)(options);
    const timer = setTimeout(() => request.destroy(new Error('connection timed out')), timeoutMs);
    request.on('socket', (socket) => socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => clearTimeout(timer)));
    request.on('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(target.onError(error));
    });
    exchange.onClose(() => request.destroy());
    if (body) body.pipe(request);
    else request.end();
  });
}

/** A response as an answer that streams as it comes. */
export function streamed(response: IncomingMessage, headers: AnswerHeaders): Answer {
  return { status: response.statusCode ?? 502, headers, run: (sink) => pump(response, sink) };
}

/** Writes a response to the sink as it comes, no faster than the client takes it. */
export function pump(response: IncomingMessage, sink: Sink): void {
  sink.onClose(() => response.destroy());
  response.on('data', (chunk: Buffer) => {
    if (sink.write(chunk)) return;
    response.pause();
    sink.onDrain(() => response.resume());
  });
  response.on('end', () => sink.end());
  response.on('error', () => sink.abort());
  response.on('aborted', () => sink.abort());
  // Somebody may have looked into it before, and put it back.
  response.resume();
}

/** Headers that concern the content, not the connection; a sender may name more of the latter in `connection` (RFC 9110 §7.6.1). */
export function contentHeaders(headers: Readonly<Record<string, string | readonly string[] | undefined>>): AnswerHeaders {
  const named = new Set(
    String(headers['connection'] ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
  const kept: AnswerHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || named.has(name) || name.startsWith(':')) continue;
    kept[name] = typeof value === 'string' ? value : [...value];
  }
  return kept;
}
