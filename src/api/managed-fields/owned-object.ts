import type { KubeObject } from '../meta.ts';
import type { JsonObject } from '../patch/json-value.ts';
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

/** The object without `metadata.managedFields`; shares the rest. */
export function withoutManagedFields(object: KubeObject): JsonObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
