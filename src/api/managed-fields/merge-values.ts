import { setOwn } from '../codec/json-objects.ts';
import { isJsonObject, type JsonObject, member } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { itemElement, pathText, UnkeyedItem } from './path-element.ts';
import { fieldSchema, isAssociativeList, isGranularMap, itemSchema } from './shape.ts';

/**
 * The live value with the applied one laid over it: maps and associative lists are merged, the rest is replaced. Shares its parts with both.
 * In lists the order of the applied items holds, and live items stay before the applied item they were before. Throws UnkeyedItem.
 */
export function mergeValues(live: unknown, applied: unknown, schema: TypeSchema): unknown {
  if (applied === undefined) return live;
  if (live === undefined || live === null) return checked(applied, schema);
  if (isGranularMap(schema) && isJsonObject(live)) {
    if (isJsonObject(applied)) return mergeMaps(live, applied, schema);
    if (applied === null) return live;
  }
  if (isAssociativeList(schema) && Array.isArray(live)) {
    if (Array.isArray(applied)) return mergeLists(live, applied, schema);
    if (applied === null) return live;
  }
  return applied;
}

/** What is new must be free of duplicates as well. */
function checked(applied: unknown, schema: TypeSchema): unknown {
  if (isJsonObject(applied) && isGranularMap(schema)) return mergeMaps({}, applied, schema);
  if (Array.isArray(applied) && isAssociativeList(schema)) return mergeLists([], applied, schema);
  return applied;
}

function mergeMaps(live: JsonObject, applied: JsonObject, schema: TypeSchema): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(live)) {
    setOwn(result, name, mergeValues(value, member(applied, name), fieldSchema(schema, name)));
  }
  for (const [name, value] of Object.entries(applied)) {
    if (!Object.hasOwn(live, name)) setOwn(result, name, checked(value, fieldSchema(schema, name)));
  }
  return result;
}

function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: TypeSchema): unknown[] {
  const liveElements = live.map((item) => itemElement(schema, item));
  const liveItems = firstOnes(live, liveElements);
  const elements = applied.map((item) => itemElement(schema, item));
  const isApplied = new Set(elements);
  if (isApplied.size < elements.length) throw duplicate(elements);
  const result: unknown[] = [];
  let at = 0;
  const takeLiveUntil = (element: string | undefined): void => {
    for (; at < live.length && liveElements[at] !== element; at++) {
      if (!isApplied.has(liveElements[at]!)) result.push(live[at]);
    }
  };
  const next = nextKnown(elements, liveItems);
  for (const [i, item] of applied.entries()) {
    takeLiveUntil(next[i]);
    result.push(mergeValues(liveItems.get(elements[i]!), item, itemSchema(schema)));
  }
  takeLiveUntil(undefined);
  return result;
}

/** For each place the first element from there on that is known. */
function nextKnown(elements: readonly string[], known: ReadonlyMap<string, unknown>): (string | undefined)[] {
  let next: string | undefined;
  return elements
    .map((_, i) => {
      const element = elements.at(-1 - i)!;
      return (next = known.has(element) ? element : next);
    })
    .reverse();
}

/** Items by element; of duplicates none, for nobody knows which one is meant. */
function firstOnes(items: readonly unknown[], elements: readonly string[]): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [i, element] of elements.entries()) found.set(element, found.has(element) ? undefined : items[i]);
  return found;
}

function duplicate(elements: readonly string[]): UnkeyedItem {
  const seen = new Set<string>();
  const twice = elements.find((element) => seen.size === seen.add(element).size)!;
  return new UnkeyedItem(`duplicate entries for key ${pathText([twice])}`);
}
