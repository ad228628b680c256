import { assert } from '../../lib/assert.ts';
import { goKindOf, setOwn } from '../codec/json-objects.ts';
import { requestTooLarge } from '../status-error.ts';
import { cloneJson, equalJson, isJsonObject, type JsonObject, member, roughBytes } from './json-value.ts';
import { malformed, unprocessable } from './patch-errors.ts';

/** Upstream's limit (apiserver/pkg/endpoints/handlers/patch.go). */
const maxOperations = 10_000;
/** What all `copy` operations of one patch may copy together, or few operations would make a huge object. */
const maxCopiedBytes = 3 * 1024 * 1024;

const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

/** One operation of RFC 6902, checked for form. */
interface Operation {
  readonly op: (typeof operations)[number];
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
}

/**
 * Applies a JSON Patch (RFC 6902) to a copy of `document`. As upstream, a negative index counts from the end.
 * Throws StatusError: 400 when `patch` is no list of operations, 413 for too many of them, 422 for operations nobody knows or that do not fit
 * the document.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  // Go reads null as a list of nothing.
  if (patch === null) return cloneJson(document);
  if (!Array.isArray(patch))
    throw malformed(`json: cannot unmarshal ${goKindOf(patch)} into Go value of type []handlers.jsonPatchOp`);
  if (patch.length > maxOperations) {
    throw requestTooLarge(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`);
  }
  // The document hangs in a holder, so that replacing all of it is nothing special.
  const holder: JsonObject = { root: cloneJson(document) };
  let copiedBytes = 0;
  for (const operation of patch.map(readOperation)) {
    if (operation.op === 'copy') copiedBytes += roughBytes(read(holder, operation.from));
    if (copiedBytes > maxCopiedBytes)
      throw requestTooLarge(`The copy operations of a JSON patch may copy at most ${maxCopiedBytes} bytes`);
    apply[operation.op](holder, operation);
  }
  return holder['root'];
}

function readOperation(raw: unknown): Operation {
  if (!isJsonObject(raw)) throw malformed(`json: cannot unmarshal ${goKindOf(raw)} into Go value of type handlers.jsonPatchOp`);
  for (const name of ['op', 'path', 'from'] as const) {
    if (typeof (raw[name] ?? '') === 'string') continue;
    throw malformed(`json: cannot unmarshal ${goKindOf(raw[name])} into Go struct field jsonPatchOp.${name} of type string`);
  }
  const { op, path, from, value } = raw;
  const known = operations.find((name) => name === op);
  if (!known) throw unprocessable(`unknown operation in a JSON patch: ${JSON.stringify(op)}`);
  if (typeof path !== 'string') throw unprocessable(`the JSON patch operation ${known} needs a path`);
  const needsFrom = known === 'move' || known === 'copy';
  if (needsFrom && typeof from !== 'string') throw unprocessable(`the JSON patch operation ${known} needs from`);
  const needsValue = known === 'add' || known === 'replace' || known === 'test';
  if (needsValue && !Object.hasOwn(raw, 'value')) throw unprocessable(`the JSON patch operation ${known} needs a value`);
  return { op: known, path: parsePointer(path), from: needsFrom ? parsePointer(from as string) : [], value };
}

/** The steps of a JSON pointer (RFC 6901), with the holder's own in front. */
function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return ['root'];
  if (!pointer.startsWith('/')) throw unprocessable(`a path in a JSON patch starts with "/": ${JSON.stringify(pointer)}`);
  const steps = pointer.slice(1).split('/');
  return ['root', ...steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

const apply: Readonly<Record<Operation['op'], (holder: JsonObject, operation: Operation) => void>> = {
  add: (holder, { path, value }) => add(holder, path, cloneJson(value)),
  remove: (holder, { path }) => remove(holder, path),
  replace: (holder, { path, value }) => replace(holder, path, cloneJson(value)),
  copy: (holder, { path, from }) => add(holder, path, cloneJson(read(holder, from))),
  move(holder, { path, from }) {
    const intoItself = path.length > from.length && from.every((step, i) => step === path[i]);
    if (intoItself) throw unprocessable(`${pointerText(from)} cannot be moved into itself`);
    add(holder, path, remove(holder, from));
  },
  test: (holder, { path, value }) => test(holder, path, value),
};

function add(holder: JsonObject, path: readonly string[], value: unknown): void {
  const { parent, last } = locate(holder, path);
  if (!Array.isArray(parent)) setOwn(parent, last, value);
  else if (last === '-') parent.push(value);
  else parent.splice(indexOf(last, parent.length + 1, path), 0, value);
}

function remove(holder: JsonObject, path: readonly string[]): unknown {
  const { parent, last } = locate(holder, path);
  if (Array.isArray(parent)) return parent.splice(indexOf(last, parent.length, path), 1)[0];
  const value = existing(parent, last, path);
  delete parent[last];
  return value;
}

/** A member that is missing is added, as upstream: what is zero is left out of objects, and clients count up from it. */
function replace(holder: JsonObject, path: readonly string[], value: unknown): void {
  const { parent, last } = locate(holder, path);
  if (Array.isArray(parent)) {
    parent[indexOf(last, parent.length, path)] = value;
    return;
  }
  setOwn(parent, last, value);
}

/** A member that is missing equals null, as upstream. */
function test(holder: JsonObject, path: readonly string[], value: unknown): void {
  const { parent, last } = locate(holder, path);
  const found = Array.isArray(parent) ? parent[indexOf(last, parent.length, path)] : (member(parent, last) ?? null);
  if (!equalJson(found, value)) throw unprocessable(`testing ${pointerText(path)} failed`);
}

function read(holder: JsonObject, path: readonly string[]): unknown {
  const { parent, last } = locate(holder, path);
  return Array.isArray(parent) ? parent[indexOf(last, parent.length, path)] : existing(parent, last, path);
}

function existing(parent: JsonObject, name: string, path: readonly string[]): unknown {
  if (!Object.hasOwn(parent, name)) throw unprocessable(`there is nothing at ${pointerText(path)}`);
  return parent[name];
}

/** The object or list the last step of the path is a step in. */
function locate(holder: JsonObject, path: readonly string[]): { parent: JsonObject | unknown[]; last: string } {
  let parent: unknown = holder;
  for (const step of path.slice(0, -1)) {
    if (Array.isArray(parent)) parent = parent[indexOf(step, parent.length, path)];
    else parent = isJsonObject(parent) ? member(parent, step) : undefined;
  }
  if (!Array.isArray(parent) && !isJsonObject(parent)) throw unprocessable(`there is nothing to hold ${pointerText(path)}`);
  const last = path.at(-1);
  assert(last !== undefined, 'a path has at least the step of the holder');
  return { parent, last };
}

function indexOf(step: string, length: number, path: readonly string[]): number {
  const index = /^(0|-?[1-9]\d*)$/.test(step) ? Number(step) : Number.NaN;
  const counted = index < 0 ? index + length : index;
  if (!(counted >= 0 && counted < length)) throw unprocessable(`there is no item ${step} at ${pointerText(path)}`);
  return counted;
}

function pointerText(path: readonly string[]): string {
  return path
    .slice(1)
    .map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
