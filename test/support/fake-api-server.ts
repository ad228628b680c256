import http2, { type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Kind } from '../../src/api/kind.ts';
import { builtinKinds } from '../../src/api/kinds/index.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { internalError, resourceNotFound, StatusError } from '../../src/api/status-error.ts';
import type { PatchType } from '../../src/client/client.ts';
import type { FakeClient } from '../../src/client/fake-client.ts';

export interface FakeApiServer {
  readonly url: string;
  /** Every request as `METHOD path`. */
  readonly requests: string[];
  /** Cuts all connections. */
  cut(): void;
  stop(): Promise<void>;
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
};

interface Target {
  readonly kind: Kind;
  readonly key: { namespace?: string; name?: string };
  readonly subresource?: string;
}

/** The fake client's API over HTTP/2 without TLS on a free loopback port: just enough wire to test the HTTPS client. */
export async function startFakeApiServer(fake: FakeClient): Promise<FakeApiServer> {
  const requests: string[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const [method, path] = [String(headers[':method']), String(headers[':path'])];
      requests.push(`${method} ${path}`);
      const body = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>) : {};
      serve(fake, stream, { method, path, body, contentType: String(headers['content-type'] ?? '') }).catch((error: unknown) => {
        const status = error instanceof StatusError ? error : internalError(error);
        respond(stream, status.code, status.toStatus());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const session of sessions) session.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    cut,
    async stop() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(
  fake: FakeClient,
  stream: ServerHttp2Stream,
  { method, path, body, contentType }: { method: string; path: string; body: Record<string, unknown>; contentType: string },
): Promise<void> {
  const url = new URL(path, 'http://fake');
  const { kind, key, subresource } = targetOf(url.pathname);
  const object = body as unknown as KubeObject;
  const named = { ...key, name: key.name ?? '' };
  const options = { ...Object.fromEntries(url.searchParams), ...(key.namespace ? { namespace: key.namespace } : {}) };
  if (method === 'GET' && url.searchParams.get('watch'))
    return serveWatch(fake, stream, kind, options as { resourceVersion: string });
  if (method === 'GET' && key.name) return respond(stream, 200, await fake.get(kind, named));
  if (method === 'GET') {
    const limit = Number(url.searchParams.get('limit'));
    const list = await fake.list(kind, { ...options, ...(limit ? { limit } : {}) } as object);
    const items = list.items.map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    return respond(stream, 200, { kind: kind.listKind, apiVersion: 'v1', ...list, items });
  }
  if (method === 'POST' && subresource) return respond(stream, 201, await fake.post(kind, named, subresource, body));
  if (method === 'POST') return respond(stream, 201, await fake.create(kind, object));
  if (method === 'PUT') return respond(stream, 200, await fake.update(kind, object, subresource ? { subresource } : {}));
  if (method === 'DELETE') {
    await fake.delete(kind, named, body);
    return respond(stream, 200, { kind: 'Status', apiVersion: 'v1', status: 'Success' });
  }
  const patch = { type: patchTypes[contentType] ?? 'merge', body, ...(subresource ? { subresource } : {}) };
  return respond(stream, 200, await fake.patch(kind, named, patch));
}

function serveWatch(fake: FakeClient, stream: ServerHttp2Stream, kind: Kind, options: { resourceVersion: string }): void {
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  const stop = fake.watch(kind, options, {
    onEvent: (type, object) => stream.write(`${JSON.stringify({ type, object })}\n`),
    onEnd: (error) => {
      const status = error instanceof StatusError ? `${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n` : '';
      stream.end(status);
    },
  });
  stream.on('close', stop);
}

function targetOf(pathname: string): Target {
  const parts = pathname.split('/').slice(1);
  const group = parts[0] === 'apis' ? parts[1] : '';
  let rest = parts.slice(parts[0] === 'apis' ? 3 : 2);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'finalize' && rest[2] !== 'status') {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural, name, subresource] = rest;
  const kind = builtinKinds.find((k) => k.group === group && k.plural === plural);
  if (!kind) throw resourceNotFound();
  return {
    kind,
    key: { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) },
    ...(subresource ? { subresource } : {}),
  };
}

function respond(stream: ServerHttp2Stream, status: number, body: unknown): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.end(JSON.stringify(body));
}
