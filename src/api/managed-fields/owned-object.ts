import { toTyped } from '../codec/typed.ts';
import type { KubeObject } from '../meta.ts';
import type { JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { difference, type FieldSet, pathSet, union } from './field-set.ts';

/** Fields of the server: they have no manager. */
const unowned: FieldSet = [
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
]
  .map(pathSet)
  .reduce(union);

/** What a manager owns of a set of fields, without those of the server. */
export function ownable(fields: FieldSet): FieldSet {
  return difference(fields, unowned);
}

const emptyObjects = new WeakMap<TypeSchema, JsonObject>();

/**
 * What a new object is compared with: one that has only what is always written. Nobody comes to own `spec` for naming it, nor an empty list
 * of containers.
 */
export function emptyObject(schema: TypeSchema): JsonObject {
  let empty = emptyObjects.get(schema);
  if (!empty) {
    empty = toTyped({}, schema).value as JsonObject;
    emptyObjects.set(schema, empty);
  }
  return empty;
}

/** The object without `metadata.managedFields`; shares the rest. */
export function withoutManagedFields(object: KubeObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
