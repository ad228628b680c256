import { equalJson, isJsonObject, type JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { type FieldSet, isEmpty, noFields, ownField, setOf } from './field-set.ts';
import { fieldElement, itemElement } from './path-element.ts';
import { fieldSchema, isAssociativeList, isGranularMap, itemSchema } from './shape.ts';

/** What differs between two values. No path is in two of the sets. */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

/** What `compare` returns for equal values. */
const noDifference: Comparison = { removed: noFields, modified: noFields, added: noFields };
const removedLeaf: Comparison = { ...noDifference, removed: ownField };
const modifiedLeaf: Comparison = { ...noDifference, modified: ownField };
const addedLeaf: Comparison = { ...noDifference, added: ownField };

const noNames: readonly string[] = [];
const knownNullTimes = new WeakMap<TypeSchema, readonly string[]>();

/** The times of a type that are null when they are not there, which is a value like any other. */
function nullTimes(schema: TypeSchema): readonly string[] {
  if (!schema.fields) return noNames;
  let names = knownNullTimes.get(schema);
  if (!names) {
    names = [...schema.fields].filter(([, { zero }]) => zero === 'null').map(([name]) => name);
    knownNullTimes.set(schema, names);
  }
  return names;
}

/** `undefined` = not there. Equal values cost one walk and no memory. Throws UnkeyedItem. */
export function compare(before: unknown, after: unknown, schema: TypeSchema): Comparison {
  if (before === after) return noDifference;
  if (before === undefined) return { ...noDifference, added: wholeFields(after, schema) };
  if (after === undefined) return { ...noDifference, removed: wholeFields(before, schema) };
  const keyed = isGranularMap(schema) && bothAre(isJsonObject, before, after);
  const listed = !keyed && isAssociativeList(schema) && bothAre(Array.isArray, before, after);
  if ((!keyed && !listed) || (isBare(before) && isBare(after))) return compareLeaf(before, after);
  if (listed && equalJson(before, after)) return noDifference;
  return keyed
    ? compareMaps((before ?? undefined) as JsonObject | undefined, (after ?? undefined) as JsonObject | undefined, schema)
    : compareLists((before ?? []) as unknown[], (after ?? []) as unknown[], schema);
}

function compareLeaf(before: unknown, after: unknown): Comparison {
  if (before === undefined) return addedLeaf;
  if (after === undefined) return removedLeaf;
  return equalJson(before, after) ? noDifference : modifiedLeaf;
}

/** All there is of a value that only one side has. */
function wholeFields(value: unknown, schema: TypeSchema): FieldSet {
  if (typeof value !== 'object' || value === null) return ownField;
  const children = new Map<string, FieldSet>();
  if (isJsonObject(value)) {
    if (!isGranularMap(schema)) return ownField;
    for (const name in value) {
      const field = value[name];
      if (field === undefined) continue;
      const isLeaf = typeof field !== 'object' || field === null;
      children.set(fieldElement(name), isLeaf ? ownField : wholeFields(field, fieldSchema(schema, name)));
    }
    // An empty value is a leaf.
    if (children.size > 0)
      for (const name of nullTimes(schema)) if (!Object.hasOwn(value, name)) children.set(fieldElement(name), ownField);
  } else if (isAssociativeList(schema)) {
    for (const item of value as readonly unknown[]) {
      const element = itemElement(schema, item);
      children.set(element, children.has(element) ? ownField : wholeFields(item, itemSchema(schema)));
    }
  }
  return children.size === 0 ? ownField : { member: true, children };
}

function compareMaps(before: JsonObject | undefined, after: JsonObject | undefined, schema: TypeSchema): Comparison {
  const found = new Differences();
  const times = nullTimes(schema);
  const valueIn = (map: JsonObject | undefined, name: string): unknown => {
    if (map === undefined || Object.hasOwn(map, name)) return map?.[name];
    return times.includes(name) ? null : undefined;
  };
  for (const name in before) {
    found.add(name, fieldElement, compare(before[name], valueIn(after, name), fieldSchema(schema, name)));
  }
  for (const name in after) {
    if (before && Object.hasOwn(before, name)) continue;
    found.add(name, fieldElement, compare(valueIn(before, name), after[name], fieldSchema(schema, name)));
  }
  for (const name of times) {
    if (Object.hasOwn(before ?? after ?? {}, name)) continue;
    if (!before || !after) found.add(name, fieldElement, compareLeaf(valueIn(before, name), valueIn(after, name)));
  }
  return found.result();
}

function compareLists(before: readonly unknown[], after: readonly unknown[], schema: TypeSchema): Comparison {
  const mine = byElement(before, schema);
  const theirs = byElement(after, schema);
  const found = new Differences();
  for (const element of new Set([...mine.keys(), ...theirs.keys()])) {
    found.add(element, (e) => e, compareItems(mine.get(element) ?? [], theirs.get(element) ?? [], itemSchema(schema)));
  }
  return found.result();
}

/** Items that share an element are compared as a whole: nobody can own a part of them. */
function compareItems(before: readonly unknown[], after: readonly unknown[], schema: TypeSchema): Comparison {
  if (before.length <= 1 && after.length <= 1) return compare(before[0], after[0], schema);
  if (before.length > 1 && after.length > 1) return equalJson(before, after) ? noDifference : modifiedLeaf;
  if (before.length > 1) {
    const { added } = after.length === 0 ? noDifference : compare(undefined, after[0], schema);
    return { ...noDifference, removed: ownField, added: { member: false, children: added.children } };
  }
  const { removed } = before.length === 0 ? noDifference : compare(before[0], undefined, schema);
  return { ...noDifference, added: ownField, removed: { member: false, children: removed.children } };
}

function byElement(list: readonly unknown[], schema: TypeSchema): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of list) {
    const element = itemElement(schema, item);
    const others = found.get(element);
    if (others) others.push(item);
    else found.set(element, [item]);
  }
  return found;
}

/** Gathers the comparisons of fields; allocates nothing until one differs. */
class Differences {
  #removed: Map<string, FieldSet> | undefined;
  #modified: Map<string, FieldSet> | undefined;
  #added: Map<string, FieldSet> | undefined;

  add(name: string, element: (name: string) => string, comparison: Comparison): void {
    if (comparison === noDifference) return;
    const { removed, modified, added } = comparison;
    const key = element(name);
    if (!isEmpty(removed)) (this.#removed ??= new Map()).set(key, removed);
    if (!isEmpty(modified)) (this.#modified ??= new Map()).set(key, modified);
    if (!isEmpty(added)) (this.#added ??= new Map()).set(key, added);
  }

  result(): Comparison {
    if (!this.#removed && !this.#modified && !this.#added) return noDifference;
    return { removed: setOf(this.#removed), modified: setOf(this.#modified), added: setOf(this.#added) };
  }
}

/** True when both have this form as far as they are there at all, and one of them does. */
function bothAre(is: (value: unknown) => boolean, a: unknown, b: unknown): boolean {
  const fits = (value: unknown): boolean => value === undefined || value === null || is(value);
  return fits(a) && fits(b) && (is(a) || is(b));
}

/** Absent, null or empty: for such a container the difference between these matters, and there is nothing below it. */
function isBare(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
