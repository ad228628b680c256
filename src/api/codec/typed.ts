import type { FieldSchema, TypeSchema } from '../schema/type-schema.ts';
import { countKeys, setOwn } from './json-objects.ts';
import { canonicalScalar } from './scalars.ts';

export interface TypedResult {
  readonly value: unknown;
  /** Object keys seen, to compare with the text's: fewer mean duplicates. */
  readonly keys: number;
  /** Fields the schema does not know; they are not in `value`. */
  readonly unknownFields: number;
}

/** A value has a JSON type its schema does not allow. Carries nothing: the checker that words it reads the text again. */
export class TypeMismatch extends Error {
  override readonly name = 'TypeMismatch';
}

const maxInt32 = 2 ** 31 - 1;
const minInt32 = -(2 ** 31);

/**
 * Brings parsed JSON into the form Go's structs give it: unknown fields and nulls dropped, zero values left out or filled in as the schema
 * says, fields in the schema's order, map keys sorted, quantities, times and durations in canonical form. Equal objects so become equal
 * bytes. The input is not changed, but free-form parts are shared with the result. Throws TypeMismatch.
 */
export function toTyped(value: unknown, schema: TypeSchema): TypedResult {
  const converter = new Converter();
  const typed = converter.value(value, schema);
  return { value: typed, keys: converter.keys, unknownFields: converter.unknownFields };
}

class Converter {
  keys = 0;
  unknownFields = 0;

  value(value: unknown, schema: TypeSchema): unknown {
    switch (schema.type) {
      case 'string':
        if (typeof value !== 'string') throw new TypeMismatch();
        return value;
      case 'boolean':
        if (typeof value !== 'boolean') throw new TypeMismatch();
        return value;
      case 'int32':
        if (!Number.isInteger(value) || (value as number) > maxInt32 || (value as number) < minInt32) throw new TypeMismatch();
        return value;
      case 'int64':
        if (!Number.isSafeInteger(value)) throw new TypeMismatch();
        return value;
      case 'number':
        if (typeof value !== 'number') throw new TypeMismatch();
        return value;
      case 'intOrString':
        return this.#intOrString(value);
      case 'any':
        this.keys += countKeys(value);
        return value;
      case 'object':
        return this.#object(value, schema);
      case 'map':
        return this.#map(value, schema.items!);
      case 'list':
        return this.#list(value, schema.items!);
      default: {
        const canonical = canonicalScalar(schema.type, value);
        if (canonical === undefined) throw new TypeMismatch();
        return canonical;
      }
    }
  }

  #intOrString(value: unknown): unknown {
    if (typeof value === 'string') return value;
    if (!Number.isInteger(value) || (value as number) > maxInt32 || (value as number) < minInt32) throw new TypeMismatch();
    return value;
  }

  #object(value: unknown, schema: TypeSchema): unknown {
    const source = asObject(value);
    const { slots, filled } = layoutOf(schema);
    const names = Object.keys(source);
    this.keys += names.length;
    const found: FoundField[] = [];
    let unknown: string[] | undefined;
    for (const name of names) {
      const slot = slots.get(name);
      const given = source[name];
      if (!slot) (unknown ??= []).push(name);
      else if (given !== null && given !== undefined) {
        const typed = this.value(given, slot.field.schema);
        if (keepsZero(slot.field) || !isZero(typed, slot.field.schema)) found.push({ slot, typed });
      }
    }
    for (const slot of filled) {
      const isGiven = Object.hasOwn(source, slot.name) && source[slot.name] !== null && source[slot.name] !== undefined;
      if (!isGiven) found.push({ slot, typed: this.#zeroItem(slot.field.schema) });
    }
    const result = assemble(found);
    if (unknown) this.#others(source, unknown, { keep: schema.preserveUnknownFields === true, result });
    return result;
  }

  /** What the schema does not name: dropped and counted, or kept as it is. */
  #others(
    source: Readonly<Record<string, unknown>>,
    names: readonly string[],
    { keep, result }: { keep: boolean; result: Record<string, unknown> },
  ): void {
    for (const name of names) {
      this.keys += countKeys(source[name]);
      if (keep) setOwn(result, name, source[name]);
      else this.unknownFields++;
    }
  }

  #map(value: unknown, items: TypeSchema): unknown {
    const source = asObject(value);
    const names = Object.keys(source);
    this.keys += names.length;
    if (!isSorted(names)) names.sort();
    const result: Record<string, unknown> = {};
    for (const name of names) {
      const given = source[name];
      setOwn(result, name, given === null || given === undefined ? this.#zeroItem(items) : this.value(given, items));
    }
    return result;
  }

  #list(value: unknown, items: TypeSchema): unknown {
    if (!Array.isArray(value)) throw new TypeMismatch();
    return value.map((item: unknown) => (item === null ? this.#zeroItem(items) : this.value(item, items)));
  }

  #zeroItem(schema: TypeSchema): unknown {
    switch (schema.type) {
      case 'object':
        return this.#object({}, schema);
      case 'list':
        return [];
      case 'map':
        return {};
      case 'boolean':
        return false;
      case 'int32':
      case 'int64':
      case 'number':
      case 'intOrString':
        return 0;
      case 'quantity':
        return '0';
      case 'duration':
        return '0s';
      case 'any':
      case 'time':
      case 'microTime':
        return null;
      default:
        return '';
    }
  }
}

const keepsZero = ({ zero }: FieldSchema): boolean => zero === 'keep' || zero === 'fill';

/** A field and its place among its type's fields. */
interface Slot {
  readonly name: string;
  readonly field: FieldSchema;
  readonly index: number;
}

interface FoundField {
  readonly slot: Slot;
  readonly typed: unknown;
}

interface Layout {
  readonly slots: ReadonlyMap<string, Slot>;
  /** The fields that are written even when they are absent. */
  readonly filled: readonly Slot[];
}

const layouts = new WeakMap<TypeSchema, Layout>();

function layoutOf(schema: TypeSchema): Layout {
  const known = layouts.get(schema);
  if (known) return known;
  const slots = new Map<string, Slot>();
  for (const [name, field] of schema.fields!) {
    // Fields are assigned; under this name that would set the prototype. As an unknown field it is harmless.
    if (name !== '__proto__') slots.set(name, { name, field, index: slots.size });
  }
  const layout = { slots, filled: [...slots.values()].filter((slot) => slot.field.zero === 'fill') };
  layouts.set(schema, layout);
  return layout;
}

/** Puts fields into the schema's order. Most bodies have them so already. */
function assemble(found: FoundField[]): Record<string, unknown> {
  for (let i = 1; i < found.length; i++) {
    if (found[i - 1]!.slot.index > found[i]!.slot.index) {
      found.sort((a, b) => a.slot.index - b.slot.index);
      break;
    }
  }
  const result: Record<string, unknown> = {};
  for (const { slot, typed } of found) result[slot.name] = typed;
  return result;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeMismatch();
  return value as Readonly<Record<string, unknown>>;
}

/** Go's idea of empty; structs never are. */
function isZero(value: unknown, schema: TypeSchema): boolean {
  switch (schema.type) {
    case 'object':
    case 'any':
      return false;
    case 'list':
      return (value as unknown[]).length === 0;
    case 'map':
      for (const _ in value as object) return false;
      return true;
    case 'quantity':
    case 'duration':
      return false;
    default:
      return value === '' || value === 0 || value === false;
  }
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if (names[i - 1]! > names[i]!) return false;
  return true;
}
