import type { TypeSchema } from '../schema/type-schema.ts';

/**
 * How ownership sees a value: fields of a granular map and items of an associative list are owned one by one; everything else (scalars, atomic
 * lists and maps, free-form JSON) as a whole.
 */
export function isGranularMap(schema: TypeSchema): boolean {
  return (schema.type === 'object' || schema.type === 'map') && !schema.atomic;
}

export function isAssociativeList(schema: TypeSchema): boolean {
  return schema.type === 'list' && (schema.listType === 'set' || schema.listType === 'map');
}

/** Fields that the schema does not declare: maps of anything, lists and scalars as a whole. */
const undeclared: TypeSchema = {
  type: 'map',
  get items() {
    return undeclared;
  },
};

const anything: TypeSchema = { type: 'any' };

/** The schema of one field of a granular map. */
export function fieldSchema(schema: TypeSchema, name: string): TypeSchema {
  if (schema.type === 'map') return schema.items ?? undeclared;
  return schema.fields?.get(name)?.schema ?? undeclared;
}

export function itemSchema(schema: TypeSchema): TypeSchema {
  return schema.items ?? anything;
}

/** A named field, as opposed to the key of a map. */
export function isDeclared(schema: TypeSchema, name: string): boolean {
  return schema.type === 'object' && schema.fields?.has(name) === true;
}
