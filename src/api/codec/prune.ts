import type { TypeSchema } from '../schema/type-schema.ts';
import { countKeys, setOwn } from './json-objects.ts';
import { type TypedResult, toTyped } from './typed.ts';

/**
 * Drops the fields a custom resource's schema does not know. Everything else stays as it is, values of wrong types and nulls too: judging them
 * is validation's business, as upstream has it (apiextensions-apiserver pkg/apiserver/schema/pruning). Parts with a built-in type, such as
 * metadata, go through `toTyped` and may throw TypeMismatch. The input is not changed.
 */
export function pruned(value: unknown, schema: TypeSchema): TypedResult {
  const pruner = new Pruner();
  return { value: pruner.value(value, schema), keys: pruner.keys, unknownFields: pruner.unknownFields };
}

class Pruner {
  keys = 0;
  unknownFields = 0;

  value(value: unknown, schema: TypeSchema): unknown {
    if (schema.name !== undefined) return this.#typed(value, schema);
    const { type, items } = schema;
    if (type === 'list' && Array.isArray(value)) return value.map((item) => this.value(item, items!));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && type === 'object') return this.#object(value as Record<string, unknown>, schema);
    if (isObject && type === 'map') return this.#map(value as Record<string, unknown>, items!);
    this.keys += countKeys(value);
    return value;
  }

  #typed(value: unknown, schema: TypeSchema): unknown {
    const typed = toTyped(value ?? {}, schema);
    this.keys += typed.keys;
    this.unknownFields += typed.unknownFields;
    return typed.value;
  }

  #object(source: Readonly<Record<string, unknown>>, schema: TypeSchema): unknown {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(source)) {
      const field = schema.fields?.get(name);
      this.keys++;
      if (field) setOwn(result, name, this.value(source[name], field.schema));
      else {
        this.keys += countKeys(source[name]);
        if (schema.preserveUnknownFields) setOwn(result, name, source[name]);
        else this.unknownFields++;
      }
    }
    return result;
  }

  #map(source: Readonly<Record<string, unknown>>, items: TypeSchema): unknown {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(source)) {
      this.keys++;
      setOwn(result, name, this.value(source[name], items));
    }
    return result;
  }
}
