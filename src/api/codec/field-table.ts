import { schemaOf } from '../schema/schema.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { wireTypeOf } from './wire-table.ts';

export interface FieldNode {
  readonly name: string;
  readonly schema: TypeSchema;
  readonly goType: string;
}
/** Field number → a field, or the table of an inlined message. */
export type FieldTable = Map<number, FieldNode | FieldTable>;

const tables = new Map<string, FieldTable>();

/** The fields of a generated type by their numbers; made when first asked for. */
export function tableOf(typeName: string): FieldTable {
  const known = tables.get(typeName);
  if (known) return known;
  const table: FieldTable = new Map();
  const { fields } = schemaOf(typeName);
  for (const wire of wireTypeOf(typeName)!.fields.values()) {
    let level = table;
    for (const number of wire.numbers.slice(0, -1)) {
      const inner = level.get(number) ?? new Map();
      level.set(number, inner);
      level = inner as FieldTable;
    }
    const node = { name: wire.json, schema: fields!.get(wire.json)!.schema, goType: wire.goType.replace(/^\*/, '') };
    level.set(wire.numbers.at(-1)!, node);
  }
  tables.set(typeName, table);
  return table;
}
