import { setOwn } from '../codec/json-objects.ts';
import type { FieldSchema, TypeSchema } from '../schema/type-schema.ts';
import { badRequest } from '../status-error.ts';
import { checkOrder, inOrder, type ListIdentity, positions } from './element-order.ts';
import { cloneJson, goText, isJsonObject, type JsonObject, member } from './json-value.ts';
import { contradiction, notAMap, unprocessable } from './patch-errors.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const elementOrderPrefix = '$setElementOrder/';
const deleteFromListPrefix = '$deleteFromPrimitiveList/';

/** The schema of an object whose fields nobody knows. */
const anything: TypeSchema = { type: 'any' };

/**
 * Applies a strategic merge patch to a copy of `current`: maps are merged, lists as `schema` says (patchStrategy, patchMergeKey), with all
 * directives of kubernetes/community contributors/devel/sig-api-machinery/strategic-merge-patch.md.
 * Throws StatusError with upstream's codes and texts: 400 malformed, 422 lists of lists, 500 for the rest.
 */
export function applyStrategicMergePatch(current: unknown, patch: unknown, schema: TypeSchema): JsonObject {
  // Go reads null as a map of nothing.
  const changes = patch ?? {};
  if (!isJsonObject(changes)) throw badRequest(notAMap(patch));
  return cloneJson(mergeObjects(isJsonObject(current) ? current : {}, changes, schema)) as JsonObject;
}

function mergeObjects(current: JsonObject, patch: JsonObject, schema: TypeSchema): JsonObject {
  const how = member(patch, directive);
  if (how === 'replace') return cleanFields(patch);
  if (how === 'delete') return {};
  if (how !== undefined) throw unknownDirective(patch);
  requireOrderedFields(patch, schema);
  const result = retained(current, patch);
  const fields = new Set(Object.keys(patch).map(fieldOf));
  fields.delete(undefined);
  for (const name of fields) mergeField(result, patch, name!, fieldSchema(schema, name!));
  return result;
}

/** Only of fields the type has may the order of items be set. */
function requireOrderedFields(patch: JsonObject, { fields, name }: TypeSchema): void {
  if (!fields) return;
  for (const key in patch) {
    if (!key.startsWith(elementOrderPrefix) || fields.has(fieldOf(key)!)) continue;
    throw contradiction(`unable to find api field in struct ${name} for the json field ${JSON.stringify(fieldOf(key))}`);
  }
}

/** The field a key of a patch is about; undefined for directives about the whole object. */
function fieldOf(key: string): string | undefined {
  if (key === directive || key === retainKeys) return undefined;
  if (key.startsWith(elementOrderPrefix)) return key.slice(elementOrderPrefix.length);
  return key.startsWith(deleteFromListPrefix) ? key.slice(deleteFromListPrefix.length) : key;
}

/** A shallow copy of the current object without what $retainKeys does not list. */
function retained(current: JsonObject, patch: JsonObject): JsonObject {
  const keys = member(patch, retainKeys);
  if (keys === undefined) return { ...current };
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys');
  const kept = new Set(keys);
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && key === fieldOf(key) && !kept.has(key)) throw badRequest('invalid patch format of retainKeys');
  }
  return Object.fromEntries(Object.entries(current).filter(([name]) => kept.has(name)));
}

/** Merges all that a patch says about one field into `result`, whose other fields are not touched. */
function mergeField(result: JsonObject, patch: JsonObject, name: string, field: FieldSchema | undefined): void {
  const before = member(result, name);
  const toDelete = member(patch, deleteFromListPrefix + name);
  const order = member(patch, elementOrderPrefix + name);
  const patched = member(patch, name);
  if (patched === null) {
    delete result[name];
    return;
  }
  let value = before;
  if (patched !== undefined) value = mergeValues(before, patched, field);
  if (toDelete !== undefined) value = withoutItems(value, toDelete);
  if (order !== undefined) value = inGivenOrder({ before, value, patched, order, field });
  if (value === undefined) delete result[name];
  else setOwn(result, name, value);
}

function mergeValues(before: unknown, patched: unknown, field: FieldSchema | undefined): unknown {
  if (isJsonObject(before) && isJsonObject(patched) && !field?.patchStrategy?.includes('replace')) {
    return mergeObjects(before, patched, field?.schema ?? anything);
  }
  if (Array.isArray(before) && Array.isArray(patched) && field?.patchStrategy?.includes('merge')) {
    return mergeLists(before, patched, field);
  }
  return cleaned(patched);
}

function mergeLists(before: readonly unknown[], patched: readonly unknown[], field: FieldSchema): unknown[] {
  const all = [...before, ...patched];
  if (all.some(Array.isArray)) throw unprocessable('lists of lists are not supported');
  if (!all.some(isJsonObject)) return inOrder([...new Set(all)], patched, before, identityOf(undefined));
  if (!all.every(isJsonObject)) throw contradiction('list element types are not identical: map and scalar');
  const mergeKey = field.patchMergeKey;
  if (mergeKey === undefined) throw contradiction('cannot merge lists without merge key');
  const identity = identityOf(mergeKey);
  const items = patched as JsonObject[];
  if (items.some((item) => member(item, directive) === 'replace')) return cleaned(items) as unknown[];
  const kept = withoutDeleted(before as JsonObject[], items, identity);
  const changes = items.filter((item) => !Object.hasOwn(item, directive));
  const result: JsonObject[] = [...kept];
  const places = positions(result, identity);
  for (const change of changes) {
    const key = identity(change);
    const at = places.get(key);
    // As upstream does it: directives inside of a new item are taken for fields, and refused or warned of as such.
    if (at === undefined) places.set(key, result.push(change) - 1);
    else result[at] = mergeObjects(result[at] ?? {}, change, field.schema.items ?? anything);
  }
  return inOrder(result, changes, before, identity);
}

function withoutDeleted(
  before: readonly JsonObject[],
  items: readonly JsonObject[],
  identity: ListIdentity,
): readonly JsonObject[] {
  const deleted = new Set<unknown>();
  for (const item of items) {
    const how = member(item, directive);
    if (how === 'delete') deleted.add(identity(item));
    else if (how === 'merge') throw contradiction('merging lists cannot yet be specified in the patch');
    else if (how !== undefined) throw unknownDirective(item);
  }
  return deleted.size === 0 ? before : before.filter((item) => !deleted.has(identity(item)));
}

/** What tells the items of a list apart: the value itself, or that of the merge key. */
function identityOf(mergeKey: string | undefined): ListIdentity {
  if (mergeKey === undefined) return (item) => item;
  return (item) => {
    const value = isJsonObject(item) ? member(item, mergeKey) : undefined;
    if (value === undefined) throw contradiction(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
    return value;
  };
}

/** What is no list says nothing about lists, and nothing can be deleted from it. */
function withoutItems(value: unknown, toDelete: unknown): unknown {
  if (!Array.isArray(toDelete) || !Array.isArray(value)) return value;
  const gone = new Set(toDelete);
  return value.filter((item) => !gone.has(item));
}

/** Enforces $setElementOrder; what the server alone has goes where it was among its neighbours. */
function inGivenOrder(list: {
  before: unknown;
  value: unknown;
  patched: unknown;
  order: unknown;
  field: FieldSchema | undefined;
}): unknown {
  const { before, value, patched, order, field } = list;
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list');
  if (!Array.isArray(value)) return value;
  const identity = identityOf(field?.patchMergeKey);
  if (Array.isArray(patched)) {
    const named = patched.filter((item) => !isDirective(item));
    checkOrder(named, order, identity, () =>
      contradiction(`The order in patch list:\n${goText(named)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`),
    );
  }
  return inOrder(value, order, Array.isArray(before) ? before : [], identity);
}

/** A value that is new to the object, without what is an instruction only; undefined when nothing is left. */
function cleaned(value: unknown): unknown {
  if (isDirective(value)) return undefined;
  if (Array.isArray(value)) return value.filter((item) => !isDirective(item)).map(cleaned);
  return isJsonObject(value) ? cleanFields(value) : value;
}

function cleanFields(object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, field] of Object.entries(object)) {
    const value = name === fieldOf(name) && field !== null ? cleaned(field) : undefined;
    if (value !== undefined) setOwn(result, name, value);
  }
  return result;
}

function isDirective(value: unknown): boolean {
  return isJsonObject(value) && Object.hasOwn(value, directive);
}

function unknownDirective(patch: JsonObject): Error {
  const how = patch[directive] === null ? '%!s(<nil>)' : goText(patch[directive]);
  return contradiction(`unknown patch type: ${how} in map: ${goText(patch)}`);
}

function fieldSchema(schema: TypeSchema, name: string): FieldSchema | undefined {
  if (schema.type === 'map' && schema.items) return { schema: schema.items, required: false, zero: 'keep' };
  return schema.fields?.get(name);
}
