import type { Kind } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/meta.ts';
import type { Answer, Exchange } from '../http/exchange.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { ListPage } from '../registry/list.ts';
import type { HandlerDeps, Target } from './context.ts';
import { listRequestOf } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { copyInto, representationOf, type ServedBytes, servedBytes, sizeOf, wantsPlainJson } from './render.ts';
import { tableOf } from './table.ts';

/** GET of a collection. */
export async function handleList(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  representationOf(exchange);
  const page = await deps.registry.list(kind, listRequestOf(exchange.query, namespace));
  return pageAnswer(deps, exchange, kind, page);
}

interface ListMetadata {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Answers with a page in the representation the client asked for. */
export function pageAnswer(deps: HandlerDeps, exchange: Exchange, kind: Kind, page: ListPage): Answer {
  const { objects } = deps.registry.deps;
  const representation = representationOf(exchange);
  const metadata: ListMetadata = { resourceVersion: String(page.revision) };
  if (page.continue) metadata.continue = page.continue;
  if (page.remaining) metadata.remainingItemCount = page.remaining;
  if (wantsPlainJson(exchange, representation)) {
    const body = listBytes(kind, page, metadata);
    if (body) return { status: 200, headers: { 'content-type': 'application/json' }, parts: [body] };
  }
  const items = page.entries.map((entry) => objects.decode(kind, entry));
  const { as, metaVersion } = representation;
  if (as === 'Table') {
    const include = exchange.query.get('includeObject');
    return valueAnswer(exchange, 200, tableOf({ kind, objects: items, metadata, nowMs: deps.clock.now(), metaVersion, include }));
  }
  if (as !== 'object') {
    const list = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${metaVersion}`, metadata };
    return valueAnswer(exchange, 200, { ...list, items: items.map((item) => partialMetadata(item, metaVersion)) });
  }
  return valueAnswer(exchange, 200, listValue(kind, metadata, items));
}

/** A list as an object; the items of typed lists carry neither kind nor apiVersion. */
function listValue(kind: Kind, metadata: ListMetadata, items: readonly object[]): object {
  const bare = items.map((item) => {
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = item as Record<string, unknown>;
    return keepsItemTypes(kind) ? item : rest;
  });
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items: bare };
}

/** Custom resources have no typed list in Go: their items keep kind and apiVersion. */
function keepsItemTypes(kind: Kind): boolean {
  return kind.type === '';
}

/** The list as bytes: stored bytes, one after the other. Undefined when an entry must be decoded. */
function listBytes(kind: Kind, page: ListPage, metadata: ListMetadata): Buffer | undefined {
  const start = `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":"${apiVersionOf(kind)}","metadata":${JSON.stringify(metadata)},"items":[`;
  const end = ']}';
  const items: ServedBytes[] = [];
  let size = start.length + end.length + Math.max(0, page.entries.length - 1);
  for (const entry of page.entries) {
    const served = servedBytes(kind, entry, entry.revision, keepsItemTypes(kind));
    if (!served) return undefined;
    items.push(served);
    size += sizeOf(served);
  }
  const body = Buffer.allocUnsafe(size);
  let at = body.write(start, 0, 'latin1');
  for (const [i, item] of items.entries()) {
    if (i > 0) body[at++] = 0x2c;
    at = copyInto(body, at, item);
  }
  body.write(end, at, 'latin1');
  return body;
}
