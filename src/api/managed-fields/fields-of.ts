import { isJsonObject, type JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { type FieldSet, fieldSet, noFields, ownField } from './field-set.ts';
import { fieldElement, itemElement } from './path-element.ts';
import { fieldSchema, isAssociativeList, isDeclared, isGranularMap, itemSchema } from './shape.ts';

/**
 * The fields an applied value claims: its leaves, the items of associative lists, the keys of maps. Containers are claimed only when they are
 * empty. Throws UnkeyedItem.
 */
export function fieldsOf(value: unknown, schema: TypeSchema): FieldSet {
  if (isJsonObject(value) && isGranularMap(schema)) return mapFields(value, schema);
  if (Array.isArray(value) && isAssociativeList(schema)) return listFields(value, schema);
  // Null stands for an empty container; where it is in a map, the map says so.
  return (value === null || value === undefined) && (isGranularMap(schema) || isAssociativeList(schema)) ? noFields : ownField;
}

function mapFields(map: JsonObject, schema: TypeSchema): FieldSet {
  const branches = Object.entries(map).map(([name, value]): [string, FieldSet] => {
    const below = fieldsOf(value, fieldSchema(schema, name));
    const isEmptyValue = value === null || (isJsonObject(value) && Object.keys(value).length === 0);
    const claimed = below.member || isEmptyValue || !isDeclared(schema, name);
    return [fieldElement(name), { member: claimed, children: below.children }];
  });
  return fieldSet(false, branches);
}

function listFields(list: readonly unknown[], schema: TypeSchema): FieldSet {
  const branches = new Map<string, FieldSet>();
  for (const item of list) {
    const element = itemElement(schema, item);
    // Of duplicates only the item as such is claimed.
    if (branches.has(element)) branches.set(element, ownField);
    else branches.set(element, { member: true, children: fieldsOf(item, itemSchema(schema)).children });
  }
  return fieldSet(false, branches);
}
