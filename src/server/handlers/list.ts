import type { Kind } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/meta.ts';
import type { Answer, Exchange, FullAnswer, LargeBody } from '../http/exchange.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { ListPage, ListRequest } from '../registry/list.ts';
import { prefixOf } from '../registry/stored-form.ts';
import type { HandlerDeps, Target } from './context.ts';
import { ListItems } from './list-items.ts';
import { includeObjectOf, listRequestOf } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { representationOf, wantsPlainJson } from './render.ts';
import { tableOf } from './table.ts';

/** GET of a collection. */
export async function handleList(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  representationOf(exchange);
  const request = listRequestOf(exchange.query, namespace);
  const page = await deps.registry.list(kind, request);
  return pageAnswer(deps, exchange, kind, page, request);
}

interface ListMetadata {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Answers with a page in the representation the client asked for. `request`: what it is the page of, when others may ask for the same. */
export function pageAnswer(deps: HandlerDeps, exchange: Exchange, kind: Kind, page: ListPage, request?: ListRequest): FullAnswer {
  const { objects } = deps.registry.deps;
  const representation = representationOf(exchange);
  const metadata: ListMetadata = { resourceVersion: String(page.revision) };
  if (page.continue) metadata.continue = page.continue;
  if (page.remaining) metadata.remainingItemCount = page.remaining;
  if (wantsPlainJson(exchange, representation)) {
    const body = listBody(deps, kind, { page, metadata, request });
    if (body) return { status: 200, headers: { 'content-type': 'application/json' }, parts: body };
  }
  const items = page.entries.map((entry) => objects.decode(kind, entry));
  const { as, metaVersion } = representation;
  if (as === 'Table') {
    const include = includeObjectOf(exchange.query);
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
function listBody(
  deps: HandlerDeps,
  kind: Kind,
  list: { page: ListPage; metadata: ListMetadata; request: ListRequest | undefined },
): LargeBody | undefined {
  const { page, metadata, request } = list;
  const head = `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":"${apiVersionOf(kind)}","metadata":${JSON.stringify(metadata)},"items":[`;
  const key = request && page.revision === deps.registry.deps.objects.revision ? cacheKey(kind, request) : undefined;
  const items = (key && deps.lists.find(key)) ?? newItems(deps, kind, { page, request, key });
  if (!items) return undefined;
  return {
    sizeBytes: head.length + items.sizeBytes,
    forms: key === undefined ? undefined : deps.lists.formsOf(key, head),
    head: Buffer.from(head, 'latin1'),
    pieces: () => items.pieces(),
  };
}

function newItems(
  deps: HandlerDeps,
  kind: Kind,
  list: { page: ListPage; request: ListRequest | undefined; key: string | undefined },
): ListItems | undefined {
  const { page, request, key } = list;
  const mayKeep = key === undefined ? () => false : deps.lists.isWorthKeeping;
  const items = ListItems.of(kind, page.entries, { withType: keepsItemTypes(kind), mayKeep });
  if (items && key !== undefined) {
    const { objects } = deps.registry.deps;
    const prefix = prefixOf(kind, request?.namespace);
    deps.lists.add(key, items, (onEvent) => objects.cache.watch({ prefix, after: page.revision, onEvent }));
  }
  return items;
}

/** The same for requests that list the same, as long as nothing changes. */
function cacheKey(kind: Kind, request: ListRequest): string {
  return JSON.stringify([kind.group, kind.version, kind.plural, request]);
}
