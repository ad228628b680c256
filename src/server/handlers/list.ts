import type { Kind } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/meta.ts';
import type { Answer, Exchange, FullAnswer } from '../http/exchange.ts';
import { unacceptable } from '../http/negotiate.ts';
import { maxBlockYamlLength, valueAnswer } from '../http/status-answer.ts';
import type { ListPage, ListRequest } from '../registry/list.ts';
import type { HandlerDeps, Target } from './context.ts';
import { keepsItemTypes, type ListMetadata, listBody } from './list-body.ts';
import { includeObjectOf, listRequestOf } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { goType, representationOf, wantsCompactJson } from './render.ts';
import { tableOf } from './table.ts';

/** Larger lists are not written anew for people: in YAML they are JSON, which is YAML too, and JSON is not indented. */
const maxIndentedBytes = { yaml: maxBlockYamlLength, json: 1024 * 1024 };

/** GET of a collection. */
export async function handleList(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  representationOf(exchange, true);
  const request = listRequestOf(exchange.query, namespace);
  const page = await deps.registry.list(kind, request);
  return pageAnswer(deps, exchange, kind, page, request);
}

/** Answers with a page in the representation the client asked for. `request`: what it is the page of, when others may ask for the same. */
export function pageAnswer(deps: HandlerDeps, exchange: Exchange, kind: Kind, page: ListPage, request?: ListRequest): FullAnswer {
  const { objects } = deps.registry.deps;
  const representation = representationOf(exchange);
  if (representation.as === 'PartialObjectMetadata') {
    throw unacceptable(`you requested ${representation.as}, but the requested object is a list (${goType(kind, kind.listKind)})`);
  }
  const metadata: ListMetadata = { resourceVersion: String(page.revision) };
  if (page.continue) metadata.continue = page.continue;
  if (page.remaining) metadata.remainingItemCount = page.remaining;
  const { format } = representation;
  if (format !== 'protobuf') {
    const include = representation.as === 'Table' ? includeObjectOf(exchange.query) : 'None';
    const body = listBody(deps, { kind, page, metadata, representation, include, request });
    const isCompact = wantsCompactJson(exchange, representation);
    if (body && (isCompact || body.sizeBytes > maxIndentedBytes[format])) {
      return { status: 200, headers: { 'content-type': `application/${format}` }, parts: body };
    }
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
