import { setOwn } from '../codec/json-objects.ts';
import { isJsonObject, type JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { type FieldSet, fieldSet, isEmpty, noFields } from './field-set.ts';
import { fieldElement, itemElement } from './path-element.ts';
import { fieldSchema, isAssociativeList, isDeclared, isGranularMap, itemSchema } from './shape.ts';

/** The value without the fields and items of the set. Containers from which something is removed stay, even when nothing is left in them. */
export function removeFields(value: unknown, fields: FieldSet, schema: TypeSchema): unknown {
  if (isEmpty(fields)) return value;
  if (isJsonObject(value) && isGranularMap(schema)) return removeFromMap(value, fields, schema);
  if (!Array.isArray(value) || !isAssociativeList(schema)) return value;
  return value.flatMap((item) => {
    const below = fields.children.get(itemElement(schema, item));
    if (!below) return [item];
    return below.member ? [] : [removeFields(item, below, itemSchema(schema))];
  });
}

function removeFromMap(map: JsonObject, fields: FieldSet, schema: TypeSchema): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(map)) {
    const below = fields.children.get(fieldElement(name)) ?? noFields;
    if (!below.member) setOwn(result, name, removeFields(value, below, fieldSchema(schema, name)));
  }
  return result;
}

/** The set with all named fields on the way to its paths: who owns `spec.replicas` owns `spec` too, but not an item or a key of a map. */
export function withNamedFields(set: FieldSet, schema: TypeSchema): FieldSet {
  const branches = Array.from(set.children, ([element, branch]): [string, FieldSet] => {
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    const below = withNamedFields(branch, schemaAt(schema, element, name));
    const isNamed = name !== undefined && branch.children.size > 0 && isDeclared(schema, name);
    return [element, { member: branch.member || isNamed, children: below.children }];
  });
  return fieldSet(set.member, branches);
}

function schemaAt(schema: TypeSchema, element: string, name: string | undefined): TypeSchema {
  if (name !== undefined) return fieldSchema(schema, name);
  return element.startsWith('k:') ? itemSchema(schema) : { type: 'any' };
}
