import { type AnswerHeaders, type Handler, type Headers, isStream, isTakenOver, wholeBody } from './exchange.ts';
import { DirectExchange } from './incoming.ts';
import { collectStream } from './outgoing.ts';

export interface InjectedAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
  /** The body as it came. */
  readonly bytes: Uint8Array;
}

export interface InjectedRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Headers;
  /** Objects are sent as JSON. */
  readonly body?: unknown;
  /** DER, as a TLS client would have shown it. */
  readonly clientCertificate?: Uint8Array;
}

/** Makes a request without a socket and waits for the whole answer; streams until they end. For tests. */
export async function inject(handler: Handler, request: InjectedRequest): Promise<InjectedAnswer> {
  const exchange = new DirectExchange({
    method: request.method ?? 'GET',
    url: request.url,
    headers: request.headers ?? {},
    ...(request.body === undefined ? {} : { body: bytesOf(request.body) }),
    ...(request.clientCertificate ? { clientCertificate: request.clientCertificate } : {}),
  });
  const answer = await handler(exchange);
  if (isTakenOver(answer)) return { status: 101, headers: {}, body: '', bytes: new Uint8Array() };
  const { status, headers } = answer;
  const body = isStream(answer) ? await new Promise<Uint8Array>((resolve) => collectStream(answer, resolve)) : wholeBody(answer);
  exchange.close();
  return { status, headers, body: Buffer.from(body).toString(), bytes: body };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
