import type { Kind, RowCondition } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { columnDefinitions, tableRow } from '../../api/table/table.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { IncludeObject } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { onlyText, type ServedBytes, servedBytes, servedMetadata, wrapped } from './served-bytes.ts';

export interface TableMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

interface TableRow {
  readonly cells: readonly unknown[];
  readonly conditions?: readonly RowCondition[];
  readonly object: KubeObject | null;
}

/** The `Table` of meta.k8s.io: what `kubectl get` prints. */
export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: TableMetadata;
  readonly columnDefinitions: readonly object[];
  readonly rows: readonly TableRow[];
}

export interface TableOptions {
  readonly kind: Kind;
  readonly metadata: TableMetadata;
  readonly metaVersion: string;
  /** What each row carries besides its cells. */
  readonly include: IncludeObject;
}

/** A table of objects, in the order and with the columns of their kind. */
export function tableOf(options: TableOptions & { readonly objects: readonly KubeObject[]; readonly nowMs: number }): Table {
  const { kind, objects, metadata, nowMs, metaVersion, include } = options;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata,
    columnDefinitions: columnDefinitions(kind),
    rows: inOrder(kind, objects).map((object) => ({
      ...tableRow(kind, object, nowMs),
      object: rowObject(object, metaVersion, include),
    })),
  };
}

/** A bookmark among the tables of a watch: one row, for the metadata of an object that is empty otherwise. */
export function bookmarkTable(bookmark: KubeObject, options: TableOptions): Table {
  const table = tableOf({ ...options, objects: [], nowMs: 0 });
  const cells = table.columnDefinitions.map(() => null);
  return { ...table, rows: [{ cells, object: rowObject(bookmark, options.metaVersion, options.include) }] };
}

function inOrder(kind: Kind, objects: readonly KubeObject[]): readonly KubeObject[] {
  return kind.compareRows ? objects.toSorted((a, b) => kind.compareRows!(a, b)) : objects;
}

/** The rows of a table as bytes, their objects from the stored ones. Undefined when an entry must be served decoded. */
export function rowBytes(
  objects: ObjectStore,
  kind: Kind,
  entries: readonly ObjectEntry[],
  options: { nowMs: number; metaVersion: string; include: IncludeObject },
): ServedBytes[] | undefined {
  const { nowMs, metaVersion, include } = options;
  const pairs = entries.map((entry) => ({ entry, object: objects.decode<KubeObject>(kind, entry) }));
  if (kind.compareRows) pairs.sort((a, b) => kind.compareRows!(a.object, b.object));
  const rows: ServedBytes[] = [];
  for (const { entry, object } of pairs) {
    const head = `${asciiJson(tableRow(kind, object, nowMs)).slice(0, -1)},"object":`;
    if (include === 'None') {
      rows.push(onlyText(`${head}null}`));
      continue;
    }
    const { revision } = entry;
    const shown =
      include === 'Object' ? servedBytes(kind, entry, revision, true) : servedMetadata(kind, entry, revision, metaVersion);
    if (!shown) return undefined;
    rows.push(wrapped(shown, head, '}'));
  }
  return rows;
}

/** JSON in which every other character is escaped, so that a character is a byte. */
function asciiJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function rowObject(object: KubeObject, metaVersion: string, include: IncludeObject): KubeObject | null {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialMetadata(object, metaVersion);
}
