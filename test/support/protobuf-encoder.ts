import { elementGoType, wireTypeOf } from '../../src/api/codec/wire-table.ts';
import type { Kind } from '../../src/api/kind.ts';
import { apiVersionOf } from '../../src/api/meta.ts';
import { schemaOf } from '../../src/api/schema/schema.ts';
import type { TypeSchema } from '../../src/api/schema/type-schema.ts';

/** An object as the body a typed Go client sends: the product only reads protobuf. */
export function encodeProtobuf(kind: Kind, object: object): Uint8Array {
  const names = [...field(1, text(apiVersionOf(kind))), ...field(2, text(kind.kind))];
  const message = encodeMessage(object as Fields, kind.type);
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...field(1, names), ...field(2, message)]);
}

type Fields = Readonly<Record<string, unknown>>;
type Bytes = readonly number[];

function encodeMessage(object: Fields, typeName: string): Bytes {
  const { fields } = schemaOf(typeName);
  const bytes: number[] = [];
  for (const wire of wireTypeOf(typeName)!.fields.values()) {
    const value = object[wire.json];
    if (value === undefined || value === null) continue;
    const schema = fields!.get(wire.json)!.schema;
    const encoded = encodeField(wire.numbers.at(-1)!, value, schema, wire.goType.replace(/^\*/, ''));
    bytes.push(...wire.numbers.slice(0, -1).reduceRight<Bytes>((inner, number) => field(number, inner), encoded));
  }
  return bytes;
}

function encodeField(number: number, value: unknown, schema: TypeSchema, goType: string): Bytes {
  if (schema.type === 'list' && goType.startsWith('[]')) {
    return (value as unknown[]).flatMap((item) => encodeValue(number, item, schema.items!, elementGoType(goType)));
  }
  if (schema.type !== 'map') return encodeValue(number, value, schema, goType);
  return Object.entries(value as Fields).flatMap(([key, item]) =>
    field(number, [...field(1, text(key)), ...encodeValue(2, item, schema.items!, elementGoType(goType))]),
  );
}

function encodeValue(number: number, value: unknown, schema: TypeSchema, goType: string): Bytes {
  switch (schema.type) {
    case 'boolean':
      return [...tag(number, 0), value ? 1 : 0];
    case 'int32':
    case 'int64':
      return [...tag(number, 0), ...varint(BigInt.asUintN(64, BigInt(value as number)))];
    case 'number':
      return [...tag(number, 1), ...new Uint8Array(Float64Array.of(value as number).buffer)];
    case 'string':
      return field(number, text(value as string));
    case 'bytes':
      return field(number, [...Buffer.from(value as string, 'base64')]);
    case 'object':
      return field(number, encodeMessage(value as Fields, schema.name!));
    case 'list':
      return field(
        number,
        (value as string[]).flatMap((item) => field(1, text(item))),
      );
    default:
      return field(number, encodeSpecial(value, schema, goType));
  }
}

function encodeSpecial(value: unknown, schema: TypeSchema, goType: string): Bytes {
  switch (schema.type) {
    case 'quantity':
      return field(1, text(String(value)));
    case 'time':
    case 'microTime': {
      const seconds = Math.floor(Date.parse(value as string) / 1000);
      const fraction = /\.(\d+)Z$/.exec(value as string)?.[1] ?? '0';
      return [...integer(1, seconds), ...integer(2, Number(fraction.padEnd(9, '0')))];
    }
    case 'intOrString':
      if (typeof value === 'number') return [...integer(1, 0), ...integer(2, value)];
      return [...integer(1, 1), ...field(3, text(value as string))];
    default:
      return encodeFreeForm(value, goType);
  }
}

/** JSON as bytes; schemas of CustomResourceDefinitions have messages of their own. */
function encodeFreeForm(value: unknown, goType: string): Bytes {
  const schema = (props: unknown): Bytes => encodeMessage(props as Fields, 'JSONSchemaProps');
  if (goType === 'v1.CustomResourceSubresourceStatus') return [];
  if (goType === 'v1.JSONSchemaPropsOrBool')
    return typeof value === 'boolean' ? integer(1, value ? 1 : 0) : field(2, schema(value));
  if (goType === 'v1.JSONSchemaPropsOrArray') {
    return Array.isArray(value) ? value.flatMap((item) => field(2, schema(item))) : field(1, schema(value));
  }
  if (goType === 'v1.JSONSchemaPropsOrStringArray') {
    return Array.isArray(value) ? value.flatMap((item) => field(2, text(item))) : field(1, schema(value));
  }
  return field(1, text(JSON.stringify(value)));
}

const text = (value: string): Bytes => [...Buffer.from(value)];
const tag = (number: number, wire: number): Bytes => varint(BigInt((number << 3) | wire));
const field = (number: number, bytes: Bytes): Bytes => [...tag(number, 2), ...varint(BigInt(bytes.length)), ...bytes];
const integer = (number: number, value: number): Bytes => [...tag(number, 0), ...varint(BigInt.asUintN(64, BigInt(value)))];

function varint(value: bigint): Bytes {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}
