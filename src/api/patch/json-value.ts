import { setOwn } from '../codec/json-objects.ts';

/** A parsed JSON object. */
export type JsonObject = Record<string, unknown>;

/** True for JSON objects: neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own field; never one of the prototype. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A copy that shares nothing and is not frozen. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const copy: JsonObject = {};
  for (const name in value) setOwn(copy, name, cloneJson(value[name]));
  return copy as T;
}

/** Equality of JSON values; the order of fields does not matter, and fields that are undefined count as absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  return equalObjects(a as JsonObject, b as JsonObject);
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false;
  return true;
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  for (const name in a) if (a[name] !== undefined && !equalJson(a[name], member(b, name))) return false;
  for (const name in b) if (b[name] !== undefined && member(a, name) === undefined) return false;
  return true;
}

/** The bytes a value takes as JSON, roughly. */
export function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 2;
  if (Array.isArray(value)) for (const item of value) sum += roughBytes(item) + 1;
  else for (const [name, field] of Object.entries(value)) sum += name.length + 4 + roughBytes(field);
  return sum;
}

/** A value as Go prints it with `%v`: `map[a:1 b:[x y]]`, keys sorted. Messages of strategic merge patch contain it. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (!isJsonObject(value)) return String(value);
  const fields = Object.keys(value).sort();
  return `map[${fields.map((name) => `${name}:${goText(value[name])}`).join(' ')}]`;
}

/** A value as Go prints it with `%#v`: `map[string]interface {}{"a":1}`. Messages of server-side apply contain it. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `map[string]interface {}{${fields.map((name) => `${JSON.stringify(name)}:${goSyntax(value[name])}`).join(', ')}}`;
}
