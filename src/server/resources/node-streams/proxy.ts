import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { type StatusError, serviceUnavailable } from '../../../api/status-error.ts';
import type { HandlerDeps, Target } from '../../handlers/context.ts';
import type { Answer, AnswerHeaders, Exchange } from '../../http/exchange.ts';
import { admitConnect } from './connect-admission.ts';
import { contentHeaders, open } from './forward.ts';
import { authorityOf, connectNode, connectTimeoutMs, type NodeClientCredentials } from './node-connection.ts';
import { proxyAnswer } from './proxy-answer.ts';
import { nodeTarget, type ProxyTarget, podTarget, resolveTarget, serviceTarget } from './proxy-target.ts';
import { passUpgrade } from './raw-upgrade.ts';

/** Without a slash at the end, relative links of the page that comes would lead astray. */
const redirected: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** `nodes|pods|services/<name>/proxy/<path>`: any method, passed on to the node agent, the pod, or a ready endpoint. */
export async function proxy(deps: HandlerDeps, target: Target, credentials: () => NodeClientCredentials): Promise<Answer> {
  const { exchange } = target;
  const { plural, kind } = target.kind;
  const rest = exchange.info.rest || '/';
  await admitConnect(deps, target, 'proxy', { kind: `${kind}ProxyOptions`, apiVersion: 'v1', path: rest });
  const found = await resolveTarget(locate(deps, target));
  if (exchange.info.rest === '' && !exchange.path.endsWith('/') && redirected.has(exchange.method) && !exchange.upgrade) {
    return { status: 301, headers: { location: `${exchange.path}/${queryText(exchange)}` }, parts: [] };
  }
  const path = `${rest}${queryText(exchange)}`;
  const own = plural === 'nodes' && found.isAgent ? credentials() : undefined;
  if (exchange.upgrade) return upgraded(exchange, found, path, own);
  const response = await open(
    exchange,
    {
      ...found,
      path,
      method: exchange.method,
      headers: forwardedHeaders(exchange, found),
      // Pods show certificates of their own making; nodes show ours.
      tls: own ? { cert: own.certificatePem, key: own.keyPem, ca: own.caPem } : { rejectUnauthorized: false },
      timeoutMs: connectTimeoutMs,
      onError: (error) => unreachable(found, error),
    },
    true,
  );
  return proxyAnswer(exchange, found, response);
}

function locate(deps: HandlerDeps, { kind, namespace = '', name }: Target): ProxyTarget {
  const { objects } = deps.registry.deps;
  if (kind.plural === 'nodes') return nodeTarget(objects, name);
  return kind.plural === 'pods' ? podTarget(objects, namespace, name) : serviceTarget(objects, namespace, name, Math.random);
}

function queryText({ query }: Exchange): string {
  return query.size > 0 ? `?${query}` : '';
}

/** Credentials stay here; the backend learns where the request came from. */
function forwardedHeaders(exchange: Exchange, target: ProxyTarget): AnswerHeaders {
  const headers = contentHeaders(exchange.headers);
  for (const name of Object.keys(headers)) {
    if (name === 'authorization' || name === 'host' || name.startsWith('impersonate-') || name.startsWith('x-remote-'))
      delete headers[name];
  }
  headers['host'] = authorityOf(target);
  headers['x-forwarded-for'] = exchange.remoteAddress;
  headers['x-forwarded-uri'] = exchange.path;
  headers['x-forwarded-proto'] = 'https';
  return headers;
}

async function upgraded(
  exchange: Exchange,
  target: ProxyTarget,
  path: string,
  credentials: NodeClientCredentials | undefined,
): Promise<Answer> {
  const backend = credentials ? await connectNode(target, credentials) : await connectBackend(target);
  const onError = (error: Error): StatusError => unreachable(target, error);
  return passUpgrade(exchange, backend, { path, host: authorityOf(target), onError });
}

function unreachable(target: ProxyTarget, error: Error): StatusError {
  return serviceUnavailable(`error trying to reach service: dial tcp ${authorityOf(target)}: ${error.message}`);
}

function connectBackend(target: ProxyTarget): Promise<Duplex> {
  const { scheme, host, port } = target;
  return new Promise((resolve, reject) => {
    const socket = scheme === 'https' ? connectTls({ host, port, rejectUnauthorized: false }) : connectTcp({ host, port });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(unreachable(target, error));
    };
    socket.setTimeout(connectTimeoutMs, () => fail(new Error('connection timed out')));
    socket.once('error', fail);
    socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      resolve(socket);
    });
  });
}
