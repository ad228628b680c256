import type { Column, Kind, RowCondition } from '../kind.ts';
import type { KubeObject } from '../meta.ts';
import { ageColumn, nameColumn } from './columns.ts';

type Cell = ReturnType<Column<unknown>['cell']>;

/** A column as the Table of the API shows it. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** The part of a row that is computed; the handler adds the object in the form the client asked for. */
export interface TableRow {
  readonly cells: readonly Cell[];
  readonly conditions?: readonly RowCondition[];
}

const defaultColumns: readonly Column<KubeObject>[] = [nameColumn, ageColumn];

/** Kinds that declare no columns are shown by name and age. */
export function columnsOf<T extends KubeObject>(kind: Pick<Kind<T>, 'columns'>): readonly Column<T>[] {
  return kind.columns.length > 0 ? kind.columns : defaultColumns;
}

/** The head of a `meta.k8s.io/v1` Table. */
export function columnDefinitions(kind: Pick<Kind, 'columns'>): ColumnDefinition[] {
  return columnsOf(kind).map(({ name, type, format = '', description = '', priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

/** The cells of one object, in the order of the columns. `nowMs` in milliseconds since the epoch. */
export function tableRow<T extends KubeObject>(kind: Shown<T>, object: T, nowMs: number): TableRow {
  const cells = columnsOf(kind).map((column) => column.cell(object, nowMs));
  const conditions = kind.rowConditions?.(object) ?? [];
  return conditions.length > 0 ? { cells, conditions } : { cells };
}

type Shown<T extends KubeObject> = Pick<Kind<T>, 'columns' | 'rowConditions'>;
