import { setOwn } from '../codec/json-objects.ts';
import { badRequest } from '../status-error.ts';
import { cloneJson, isJsonObject, type JsonObject, member } from './json-value.ts';
import { malformed, notAMap } from './patch-errors.ts';

/** Applies a JSON Merge Patch (RFC 7396) to a copy of `document`. Throws StatusError 400 when `patch` is not an object. */
export function applyMergePatch(document: unknown, patch: unknown): JsonObject {
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (!isJsonObject(patch)) throw malformed(notAMap(patch));
  return merged(document, patch);
}

function merged(target: unknown, patch: JsonObject): JsonObject {
  const result: JsonObject = {};
  if (isJsonObject(target)) {
    for (const [name, value] of Object.entries(target)) {
      if (!Object.hasOwn(patch, name)) setOwn(result, name, cloneJson(value));
      else if (patch[name] !== null) setOwn(result, name, mergedValue(value, patch[name]));
    }
  }
  for (const [name, value] of Object.entries(patch)) {
    const isNew = !isJsonObject(target) || member(target, name) === undefined;
    if (isNew && value !== null) setOwn(result, name, mergedValue(undefined, value));
  }
  return result;
}

function mergedValue(target: unknown, patch: unknown): unknown {
  return isJsonObject(patch) ? merged(target, patch) : cloneJson(patch);
}
