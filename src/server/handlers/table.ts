import type { Kind, RowCondition } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { columnDefinitions, tableRow } from '../../api/table/table.ts';
import type { IncludeObject } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';

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

/** `include`: what each row carries besides its cells. */
export function tableOf(options: {
  kind: Kind;
  objects: readonly KubeObject[];
  metadata: TableMetadata;
  nowMs: number;
  metaVersion: string;
  include: IncludeObject;
}): Table {
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

function inOrder(kind: Kind, objects: readonly KubeObject[]): readonly KubeObject[] {
  return kind.compareRows ? objects.toSorted((a, b) => kind.compareRows!(a, b)) : objects;
}

function rowObject(object: KubeObject, metaVersion: string, include: IncludeObject): KubeObject | null {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialMetadata(object, metaVersion);
}
