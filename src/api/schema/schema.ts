import { kindTable, schemaTable } from '../generated/schema.ts';
import type { FieldSchema, PatchStrategy, TypeSchema, ValueType } from './type-schema.ts';

/**
 * The schema of a generated type by its name in generated/types.ts (`Pod`, `PodSpec`, `ObjectMeta`). Throws for other names.
 * Types are read out of the table when they are first looked at: most servers never touch most of the 500.
 */
export function schemaOf(typeName: string): TypeSchema {
  const schema = builtin.type(typeName);
  if (!schema) throw new Error(`no type is named ${typeName}`);
  return schema;
}

/** True when the generated table has a type of this name. */
export function hasSchema(typeName: string): boolean {
  return builtin.type(typeName) !== undefined;
}

/** The type that a built-in kind has in the table, or undefined: `('apps/v1', 'Deployment')` → `Deployment`. */
export function typeOfKind(apiVersion: string, kind: string): string | undefined {
  const start = `${apiVersion} ${kind} `;
  const at = kindTable.startsWith(start) ? 0 : kindTable.indexOf(`\n${start}`) + 1;
  if (at === 0 && !kindTable.startsWith(start)) return undefined;
  const end = kindTable.indexOf('\n', at);
  return kindTable.slice(at + start.length, end < 0 ? undefined : end);
}

/** The names of all generated types. */
export function schemaNames(): string[] {
  return builtin.names();
}

const zeroOf: Readonly<Record<string, FieldSchema['zero']>> = { '?': 'keep', '+': 'fill', '-': 'null' };

const scalars: Readonly<Record<string, ValueType>> = {
  s: 'string',
  b: 'boolean',
  i: 'int32',
  l: 'int64',
  d: 'number',
  y: 'bytes',
  q: 'quantity',
  t: 'time',
  m: 'microTime',
  D: 'duration',
  x: 'intOrString',
  a: 'any',
};

/** An object type of the table. Its fields are parsed when first asked for. */
class TableType implements TypeSchema {
  readonly type = 'object';
  readonly name: string;
  readonly atomic: boolean;
  readonly #table: SchemaTable;
  #text: string | undefined;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;

  constructor(table: SchemaTable, line: string) {
    const space = line.indexOf(' ');
    this.atomic = line[space - 1] === '&';
    this.name = line.slice(0, this.atomic ? space - 1 : space);
    this.#table = table;
    this.#text = line.slice(space + 1);
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    if (this.#fields) return this.#fields;
    this.#fields = new Map(this.#text!.split(' ').map((text) => this.#table.field(text)));
    this.#text = undefined;
    return this.#fields;
  }
}

/** Reads the table's text form, which build/api/schema.ts describes. */
class SchemaTable {
  readonly #text: string;
  readonly #types = new Map<string, TypeSchema>();
  /** Schemas of scalars, lists and maps by their text, shared by all fields that look alike. */
  readonly #shared = new Map<string, TypeSchema>();

  constructor(text: string) {
    this.#text = text;
  }

  type(name: string): TypeSchema | undefined {
    const known = this.#types.get(name);
    if (known) return known;
    const line = this.#line(`${name} `) ?? this.#line(`${name}& `);
    if (line === undefined) return undefined;
    const schema = new TableType(this, line);
    this.#types.set(name, schema);
    return schema;
  }

  names(): string[] {
    return this.#text.split('\n').map((line) => line.slice(0, line.indexOf(' ')).replace('&', ''));
  }

  #line(start: string): string | undefined {
    let from = this.#text.startsWith(start) ? 0 : this.#text.indexOf(`\n${start}`);
    if (from < 0) return undefined;
    if (from > 0) from += 1;
    const to = this.#text.indexOf('\n', from);
    return this.#text.slice(from, to < 0 ? undefined : to);
  }

  field(text: string): [string, FieldSchema] {
    const m = /^([^!?+:]+?)(!?)([?+-]?):([^~]+)(?:~([^#]+)(?:#(.+))?)?$/.exec(text);
    if (!m) throw new Error(`the schema table has a field nobody can read: ${text}`);
    const [, name = '', required, zero, type = '', strategies, mergeKey] = m;
    return [
      name,
      {
        schema: this.#value(type),
        required: required === '!',
        zero: zeroOf[zero ?? ''] ?? 'omit',
        ...(strategies === undefined ? {} : { patchStrategy: strategies.split(',') as PatchStrategy[] }),
        ...(mergeKey === undefined ? {} : { patchMergeKey: mergeKey }),
      },
    ];
  }

  #value(text: string): TypeSchema {
    const known = this.#shared.get(text);
    if (known) return known;
    const schema = this.#parseValue(text);
    this.#shared.set(text, schema);
    return schema;
  }

  #parseValue(text: string): TypeSchema {
    if (text.startsWith('.')) return this.#reference(text.slice(1));
    if (text.startsWith('[')) return this.#list(text.slice(1));
    if (text.startsWith('{')) {
      const atomic = text.endsWith('&');
      return { type: 'map', items: this.#value(atomic ? text.slice(1, -1) : text.slice(1)), atomic };
    }
    return { type: scalars[text]! };
  }

  #list(text: string): TypeSchema {
    if (text.endsWith('=')) return { type: 'list', listType: 'set', items: this.#value(text.slice(0, -1)) };
    const at = text.indexOf('@');
    if (at < 0) return { type: 'list', listType: 'atomic', items: this.#value(text) };
    return { type: 'list', listType: 'map', listMapKeys: text.slice(at + 1).split(','), items: this.#value(text.slice(0, at)) };
  }

  #reference(name: string): TypeSchema {
    const granular = name.endsWith('^');
    const type = this.type(granular ? name.slice(0, -1) : name);
    if (!type) throw new Error(`the schema table has no type ${name}`);
    if (!granular) return type;
    return { type: 'object', name: type.name!, fields: type.fields!, atomic: false };
  }
}

const builtin = new SchemaTable(schemaTable);
