import type { Kind } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/meta.ts';
import { columnDefinitions } from '../../api/table/table.ts';
import type { LargeBody } from '../http/exchange.ts';
import type { Representation } from '../http/negotiate.ts';
import type { ListPage, ListRequest } from '../registry/list.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import { prefixOf } from '../registry/stored-form.ts';
import type { HandlerDeps } from './context.ts';
import { ListItems } from './list-items.ts';
import type { IncludeObject } from './options.ts';
import { type ServedBytes, servedBytes, servedMetadata } from './served-bytes.ts';
import { rowBytes } from './table.ts';

export interface ListMetadata {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

interface ShownList {
  readonly kind: Kind;
  readonly page: ListPage;
  readonly metadata: ListMetadata;
  readonly representation: Representation;
  readonly include: IncludeObject;
  /** What the page is of, when others may ask for the same. */
  readonly request: ListRequest | undefined;
}

/** A list in compact JSON: stored bytes, one after the other. Undefined when an entry must be decoded. */
export function listBody(deps: HandlerDeps, list: ShownList): LargeBody | undefined {
  const head = headOf(list);
  const key = keyOf(deps, list);
  const items = (key && deps.lists.find(key)) ?? newItems(deps, list, key);
  if (!items) return undefined;
  const headBytes = Buffer.from(head);
  return {
    sizeBytes: headBytes.length + items.sizeBytes,
    forms: key === undefined ? undefined : deps.lists.formsOf(key, head),
    head: headBytes,
    pieces: () => items.pieces(),
  };
}

/** Custom resources have no typed list in Go: their items keep kind and apiVersion. */
export function keepsItemTypes(kind: Kind): boolean {
  return kind.type === '';
}

function headOf({ kind, metadata, representation: { as, metaVersion } }: ShownList): string {
  const start = (listKind: string, apiVersion: string): string =>
    `{"kind":${JSON.stringify(listKind)},"apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},`;
  if (as === 'object') return `${start(kind.listKind, apiVersionOf(kind))}"items":[`;
  const metaApi = `meta.k8s.io/${metaVersion}`;
  if (as !== 'Table') return `${start('PartialObjectMetadataList', metaApi)}"items":[`;
  return `${start('Table', metaApi)}"columnDefinitions":${JSON.stringify(columnDefinitions(kind))},"rows":[`;
}

/** The same for requests that list the same, as long as nothing changes; undefined for lists of which each is another, as tables with ages are. */
function keyOf(deps: HandlerDeps, { kind, page, representation: { as, metaVersion }, request }: ShownList): string | undefined {
  if (!request || as === 'Table' || page.revision !== deps.registry.deps.objects.revision) return undefined;
  const shape = as === 'object' ? '' : metaVersion;
  return JSON.stringify([kind.group, kind.version, kind.plural, shape, request]);
}

function newItems(deps: HandlerDeps, list: ShownList, key: string | undefined): ListItems | undefined {
  const { kind, page, request } = list;
  const served = servedItems(deps, list);
  if (!served) return undefined;
  const items = new ListItems(served, key === undefined ? () => false : deps.lists.isWorthKeeping);
  if (key !== undefined) {
    const { cache } = deps.registry.deps.objects;
    const prefix = prefixOf(kind, request?.namespace);
    deps.lists.add(key, items, (onEvent) => cache.watch({ prefix, after: page.revision, onEvent }));
  }
  return items;
}

function servedItems(deps: HandlerDeps, list: ShownList): ServedBytes[] | undefined {
  const { kind, page, include, representation } = list;
  const { as, metaVersion } = representation;
  if (as === 'Table') {
    return rowBytes(deps.registry.deps.objects, kind, page.entries, { nowMs: deps.clock.now(), metaVersion, include });
  }
  const withType = keepsItemTypes(kind);
  const form = (entry: ObjectEntry): ServedBytes | undefined =>
    as === 'object'
      ? servedBytes(kind, entry, entry.revision, withType)
      : servedMetadata(kind, entry, entry.revision, metaVersion);
  const items: ServedBytes[] = [];
  for (const entry of page.entries) {
    const item = form(entry);
    if (!item) return undefined;
    items.push(item);
  }
  return items;
}
