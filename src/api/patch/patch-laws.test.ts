import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { schemaOf } from '../schema/schema.ts';
import type { FieldSchema, TypeSchema } from '../schema/type-schema.ts';
import { equalJson, isJsonObject, type JsonObject } from './json-value.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

/** RFC 7396: what turns one object into another that holds no null. */
function mergeDifference(from: JsonObject, to: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const before = from[name];
    if (isJsonObject(before) && isJsonObject(value)) patch[name] = mergeDifference(before, value);
    else if (!equalJson(before, value)) patch[name] = value;
  }
  return patch;
}

/** What `kubectl apply` sends to turn one object into another: with the directives of strategic merge patches. */
function strategicDifference(from: JsonObject, to: JsonObject, schema: TypeSchema): JsonObject {
  const patch: JsonObject = {};
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const field = schema.fields?.get(name);
    const [before, after] = [from[name], to[name]];
    if (equalJson(before, after)) continue;
    if (after === undefined) patch[name] = null;
    else if (before === undefined) patch[name] = after;
    else if (isJsonObject(before) && isJsonObject(after)) patch[name] = objectDifference(before, after, field);
    else if (isMerged(before, after, field)) Object.assign(patch, listDifference(name, before, after, field!));
    else patch[name] = after;
  }
  return patch;
}

function objectDifference(before: JsonObject, after: JsonObject, field: FieldSchema | undefined): JsonObject {
  if (!field?.patchStrategy?.includes('retainKeys')) return strategicDifference(before, after, field?.schema ?? { type: 'any' });
  return { ...strategicDifference(before, after, field.schema), $retainKeys: Object.keys(after) };
}

function isMerged(before: unknown, after: unknown, field: FieldSchema | undefined): before is unknown[] {
  return Array.isArray(before) && Array.isArray(after) && field?.patchStrategy?.includes('merge') === true;
}

function listDifference(name: string, before: unknown, after: unknown, field: FieldSchema): JsonObject {
  const [old, next] = [before as JsonObject[], after as JsonObject[]];
  const key = field.patchMergeKey;
  if (key === undefined) {
    const gone = old.filter((item) => !next.includes(item));
    const added = next.filter((item) => !old.includes(item));
    return {
      ...(added.length > 0 ? { [name]: added } : {}),
      ...(gone.length > 0 ? { [`$deleteFromPrimitiveList/${name}`]: gone } : {}),
      [`$setElementOrder/${name}`]: next,
    };
  }
  const changes = next.flatMap((item) => {
    const same = old.find((other) => other[key] === item[key]);
    if (!same) return [item];
    return equalJson(same, item) ? [] : [{ ...changeOf(same, item, field), [key]: item[key] }];
  });
  const deletions = old
    .filter((item) => !next.some((other) => other[key] === item[key]))
    .map((item) => ({ [key]: item[key], $patch: 'delete' }));
  const order = next.map((item) => ({ [key]: item[key] }));
  return { [name]: [...changes, ...deletions], [`$setElementOrder/${name}`]: order };
}

function changeOf(before: JsonObject, after: JsonObject, field: FieldSchema): JsonObject {
  const change = strategicDifference(before, after, field.schema.items!);
  return field.patchStrategy?.includes('retainKeys') ? { ...change, $retainKeys: Object.keys(after) } : change;
}

/** As it would come over the wire: plain objects. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const text = fc.constantFrom('1', '2', 'x');
const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), text, { maxKeys: 3 });
const items = <T extends object>(item: fc.Arbitrary<T>, key: keyof T & string) =>
  fc.uniqueArray(item, { selector: (each) => each[key], maxLength: 4 });
const name = fc.constantFrom('a', 'b', 'c', 'd');
const container = fc.record(
  {
    name,
    image: text,
    args: fc.array(text, { maxLength: 2 }),
    env: items(fc.record({ name, value: text }, { requiredKeys: ['name'] }), 'name'),
    ports: items(
      fc.record({ containerPort: fc.constantFrom(80, 81, 82), name: text }, { requiredKeys: ['containerPort'] }),
      'containerPort',
    ),
    resources: fc.record({ limits: labels }, { requiredKeys: [] }),
  },
  { requiredKeys: ['name', 'image'] },
);
const volume = fc.oneof(
  fc.record({ name, emptyDir: fc.constant({}) }),
  fc.record({ name, hostPath: fc.record({ path: text }) }),
  fc.record({
    name,
    configMap: fc.record({ name: text, items: fc.array(fc.record({ key: text, path: text }), { maxLength: 2 }) }),
  }),
);
const podSpec = fc.record(
  {
    containers: items(container, 'name'),
    volumes: items(volume, 'name'),
    tolerations: fc.array(fc.record({ key: text }), { maxLength: 2 }),
    nodeSelector: labels,
    hostNetwork: fc.boolean(),
  },
  { requiredKeys: ['containers'] },
);
const pod = fc
  .record({
    metadata: fc.record(
      { labels, finalizers: fc.uniqueArray(fc.constantFrom('a/1', 'b/2', 'c/3', 'd/4')) },
      { requiredKeys: ['finalizers'] },
    ),
    spec: podSpec,
  })
  .map(plain);

describe('patch laws', () => {
  it('a merge patch made of two objects turns one into the other', () => {
    const value = fc
      .letrec((tie) => ({
        object: fc.dictionary(fc.constantFrom('a', 'b', 'c', ''), fc.oneof({ maxDepth: 3 }, text, fc.array(text), tie('object'))),
      }))
      .object.map((object) => plain(object as JsonObject));
    fc.assert(
      fc.property(value, value, (from, to) => {
        const patch = mergeDifference(from, to);
        assert.deepEqual(applyMergePatch(from, patch), to);
        assert.deepEqual(applyMergePatch(to, patch), to, 'again');
        assert.deepEqual(applyMergePatch(from, {}), from);
      }),
      { numRuns: 400 },
    );
  });

  it('a strategic merge patch made of two pods turns one into the other', () => {
    const schema = schemaOf('Pod');
    fc.assert(
      fc.property(pod, pod, (from, to) => {
        const patch = strategicDifference(from, to, schema);
        assert.deepEqual(applyStrategicMergePatch(from, patch, schema), to);
        assert.deepEqual(applyStrategicMergePatch(to, patch, schema), to, 'again');
      }),
      { numRuns: 600 },
    );
  });

  it('two strategic merge patches of different fields do not depend on their order', () => {
    const schema = schemaOf('Pod');
    fc.assert(
      fc.property(pod, pod, (base, other) => {
        const first = strategicDifference(base, { ...base, metadata: other.metadata }, schema);
        const second = strategicDifference(base, { ...base, spec: other.spec }, schema);
        const apply = (object: unknown, patch: JsonObject) => applyStrategicMergePatch(object, patch, schema);
        assert.deepEqual(apply(apply(base, first), second), apply(apply(base, second), first));
      }),
    );
  });
});
