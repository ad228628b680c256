import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { schemaOf } from '../schema/schema.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { TypeMismatch, toTyped } from './typed.ts';

const text = fc.constantFrom('', 'a', '1', '100m', '0.5Gi', '2026-01-02T03:04:05Z', '1h', 'YQ==');

/** Values that fit a schema, a few levels deep, with zero values and nulls in between. */
function fitting(schema: TypeSchema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'int32':
    case 'int64':
      return fc.integer({ min: -5, max: 5 });
    case 'number':
      return fc.constantFrom(0, 0.5);
    case 'quantity':
      return fc.constantFrom('0', '1500m', '1024Mi', '2e3', 1, 0.25);
    case 'time':
    case 'microTime':
      return fc.constantFrom('2026-01-02T03:04:05Z', '2024-02-29T23:59:59.1234567+02:00');
    case 'duration':
      return fc.constantFrom('90m', '1h30m0s', '0');
    case 'bytes':
      return fc.constantFrom('', 'YQ==');
    case 'intOrString':
      return fc.oneof(fc.integer({ min: 0, max: 9 }), text);
    case 'any':
      // Free-form JSON keeps its order: one field at most.
      return fc.constantFrom<unknown>({ a: { b: 1 } }, [], 0, '');
    case 'map':
      return fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '1'), fc.option(fitting(schema.items!, depth - 1)));
    case 'list':
      return fc.array(fc.option(fitting(schema.items!, depth - 1)), { maxLength: 2 });
    case 'object':
      return depth <= 0 ? fc.constant({}) : fittingObject(schema, depth);
    default:
      return text;
  }
}

function fittingObject(schema: TypeSchema, depth: number): fc.Arbitrary<unknown> {
  const names = fc.subarray([...schema.fields!.keys()], { maxLength: Math.min(6, schema.fields!.size) });
  return names.chain((chosen) =>
    fc.record(Object.fromEntries(chosen.map((name) => [name, fc.option(fitting(schema.fields!.get(name)!.schema, depth - 1))]))),
  );
}

describe('toTyped', () => {
  for (const type of ['Pod', 'Deployment', 'Service', 'Secret', 'Lease', 'CustomResourceDefinition', 'NetworkPolicy']) {
    it(`${type}: the result is its own typed form, whatever the order of fields`, () => {
      const schema = schemaOf(type);
      fc.assert(
        fc.property(fitting(schema, 4), (value) => {
          const once = toTyped(value, schema);
          assert.equal(once.unknownFields, 0);
          const reversed = toTyped(reverseFields(value), schema).value;
          const expected = JSON.stringify(once.value);
          assert.equal(JSON.stringify(toTyped(once.value, schema).value), expected);
          assert.equal(JSON.stringify(reversed), expected);
        }),
        { numRuns: 100 },
      );
    });
  }

  it('counts keys as they stand in the text', () => {
    const value = { metadata: { name: 'a', labels: { x: null } }, spec: null, data: { a: '' } };
    assert.equal(toTyped(value, schemaOf('ConfigMap')).keys, 7);
    assert.equal(toTyped(value, schemaOf('ConfigMap')).unknownFields, 1);
  });

  it('does not change its input', () => {
    const value = JSON.parse('{"spec":{"hostNetwork":false,"containers":[{"resources":{"limits":{"cpu":"1000m"}}}]}}') as unknown;
    const before = JSON.stringify(value);
    toTyped(value, schemaOf('Pod'));
    assert.equal(JSON.stringify(value), before);
  });

  it('keeps what a schema without an end keeps', () => {
    const schema: TypeSchema = {
      type: 'object',
      preserveUnknownFields: true,
      fields: new Map([['__proto__', { schema: { type: 'object', fields: new Map() }, required: false, zero: 'keep' }]]),
    };
    const { value } = toTyped(JSON.parse('{"__proto__":{"a":1},"b":2}'), schema);
    assert.equal(JSON.stringify(value), '{"__proto__":{"a":1},"b":2}');
    assert.equal((value as { a?: number }).a, undefined);
  });

  it('refuses other types', () => {
    for (const value of [
      [],
      'x',
      1,
      { spec: 1 },
      { metadata: [] },
      { spec: { replicas: 2 ** 31 } },
      { spec: { replicas: '1' } },
    ]) {
      assert.throws(() => toTyped(value, schemaOf('Deployment')), TypeMismatch);
    }
  });
});

function reverseFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseFields);
  if (typeof value !== 'object' || value === null) return value;
  const result = {};
  for (const [key, item] of Object.entries(value).reverse()) {
    Object.defineProperty(result, key, { value: reverseFields(item), enumerable: true, configurable: true, writable: true });
  }
  return result;
}
