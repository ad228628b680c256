import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { serviceUnavailable } from '../../../api/status-error.ts';
import { type Answer, type AnswerHeaders, type Exchange, header } from '../../http/exchange.ts';
import { contentHeaders, streamed } from './forward.ts';
import { rewriteLinks } from './html-links.ts';
import { authorityOf } from './node-connection.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** Pages larger than this, compressed or not, are passed on as they are: their links are read in one piece. */
const maxPageBytes = 1024 * 1024;
/** What the backend says here is about its own address, not about ours. */
const backendsOwn: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
]);
const uncompress = promisify(gunzip);

/**
 * What a backend answered, as the answer of the proxy: redirects and the links of HTML pages to the backend itself lead through the proxy
 * (apimachinery: pkg/util/proxy/transport.go).
 */
export async function proxyAnswer(exchange: Exchange, target: ProxyTarget, response: IncomingMessage): Promise<Answer> {
  const rewrite = linkRewriter(exchange, target);
  const headers = answerHeaders(response, rewrite);
  if (!isPage(exchange, response)) return streamed(response, headers);
  const { 'content-length': _length, 'content-encoding': _encoding, ...others } = headers;
  const body = await gather(response);
  if (!body) return streamed(response, headers);
  const page = await pageOf(response, body);
  const parts = page === undefined ? [body] : [Buffer.from(rewriteLinks(page, rewrite), 'latin1')];
  return { status: response.statusCode ?? 502, headers: page === undefined ? headers : others, parts };
}

function answerHeaders(response: IncomingMessage, rewrite: (link: string) => string): AnswerHeaders {
  const headers = contentHeaders(response.headers);
  for (const name of backendsOwn) delete headers[name];
  if (typeof headers['location'] === 'string') headers['location'] = rewrite(headers['location']);
  return headers;
}

/** A link of a page that was asked for through the proxy, as it must be to stay there. */
function linkRewriter(exchange: Exchange, target: ProxyTarget): (link: string) => string {
  const base = exchange.path.slice(0, exchange.path.length - exchange.info.rest.length).replace(/\/$/, '');
  const backend = authorityOf(target);
  const asked = header(exchange, 'host') ?? header(exchange, ':authority');
  return (link) => {
    const { origin, authority, path, rest } = linkParts.exec(link)!.groups as Readonly<Record<string, string | undefined>>;
    const isElsewhere = authority && authority !== backend && authority !== asked;
    if (isElsewhere || !path?.startsWith('/')) return link;
    const own = path.startsWith(base) ? path : base + posix.normalize(path);
    return `${authority && authority === asked ? origin : ''}${own}${rest}`;
  };
}

const linkParts = /^(?<origin>(?:[a-z][a-z\d+.-]*:)?(?:\/\/(?<authority>[^/?#]*))?)(?<path>[^?#]*)(?<rest>.*)$/is;

/** True for HTML in a form that can be read here. */
function isPage({ method }: Exchange, { headers }: IncomingMessage): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  const isReadable = ['', 'identity', 'gzip'].includes(headers['content-encoding'] ?? '');
  return type.trim() === 'text/html' && method !== 'HEAD' && isReadable && Number(headers['content-length'] ?? 0) <= maxPageBytes;
}

/** The whole body; undefined when it is too large, and then all of it is still to be read. Rejects when the backend breaks off. */
function gather(response: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (): void => {
      response.off('data', onData).off('end', onEnd).off('error', onError).off('aborted', onError);
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxPageBytes) return;
      settle();
      response.pause();
      response.unshift(Buffer.concat(chunks));
      resolve(undefined);
    };
    const onEnd = (): void => {
      settle();
      resolve(Buffer.concat(chunks));
    };
    const onError = (): void => {
      settle();
      reject(serviceUnavailable('error trying to reach service: the answer broke off'));
    };
    response.on('data', onData).on('end', onEnd).on('error', onError).on('aborted', onError);
  });
}

/** Its text, a character for each byte: links are ASCII in every encoding pages have. Undefined when it cannot be had. */
async function pageOf({ headers }: IncomingMessage, body: Buffer): Promise<string | undefined> {
  if (headers['content-encoding'] !== 'gzip') return body.toString('latin1');
  try {
    return (await uncompress(body, { maxOutputLength: maxPageBytes })).toString('latin1');
  } catch {
    return undefined;
  }
}
