import { schemaOf } from '../schema/schema.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { type FieldNode, type FieldTable, tableOf } from './field-table.ts';
import { setOwn } from './json-objects.ts';
import { jsonShape } from './json-shape.ts';
import { maxNesting } from './limits.ts';
import { ProtobufError, ProtobufReader, type WireKind } from './protobuf-reader.ts';
import { toTyped } from './typed.ts';
import { elementGoType } from './wire-table.ts';

/** What a protobuf body says it holds, and the message itself. */
export interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** `k8s\0` */
const magic = [0x6b, 0x38, 0x73, 0x00];

/** Opens the envelope (`runtime.Unknown`) around every protobuf body. Throws ProtobufError with upstream's words. */
export function openEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (bytes.length === 0) throw new ProtobufError('empty data');
  if (magic.some((byte, i) => bytes[i] !== byte)) {
    throw new ProtobufError(`provided data does not appear to be a protobuf message, expected prefix [${magic.join(' ')}]`);
  }
  if (bytes.length === magic.length) throw new ProtobufError('empty body');
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array() as Uint8Array };
  const reader = new ProtobufReader(bytes, magic.length);
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (number === 1 && kind === 'bytes') {
      const names = readStrings(reader.message());
      envelope.apiVersion = names.get(1) ?? '';
      envelope.kind = names.get(2) ?? '';
    } else if (number === 2 && kind === 'bytes') envelope.raw = reader.bytes();
    else reader.skip(kind);
  }
  return envelope;
}

/**
 * Reads a message of a generated type into the JSON form of the object, without apiVersion and kind. Unknown fields are skipped, as upstream
 * skips them. The result still has to go through `toTyped`. Throws ProtobufError.
 */
export function decodeMessage(bytes: Uint8Array, typeName: string): Record<string, unknown> {
  return readObject(new ProtobufReader(bytes), tableOf(typeName), 1);
}

function readObject(reader: ProtobufReader, table: FieldTable, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  readFields(reader, table, result, depth);
  return result;
}

function readFields(reader: ProtobufReader, table: FieldTable, into: Record<string, unknown>, depth: number): void {
  if (depth > maxNesting) throw new ProtobufError('exceeded max depth');
  while (!reader.done) {
    const { number, kind } = reader.tag();
    const node = table.get(number);
    if (!node) reader.skip(kind);
    else if (node instanceof Map) readFields(messageOf(reader, kind), node, into, depth + 1);
    else if (node.schema.type === 'list' && node.goType.startsWith('[]')) readItem(reader, kind, { node, into, depth });
    else if (node.schema.type === 'map') readEntry(messageOf(reader, kind), node, into, depth + 1);
    else into[node.name] = readValue(reader, kind, node.schema, { goType: node.goType, depth: depth + 1 });
  }
}

function readItem(
  reader: ProtobufReader,
  kind: WireKind,
  { node, into, depth }: { node: FieldNode; into: Record<string, unknown>; depth: number },
): void {
  const list = (into[node.name] ??= []) as unknown[];
  const items = node.schema.items!;
  const isPacked = kind === 'bytes' && ['int32', 'int64', 'boolean'].includes(items.type);
  const context = { goType: elementGoType(node.goType), depth: depth + 1 };
  if (!isPacked) {
    list.push(readValue(reader, kind, items, context));
    return;
  }
  const packed = reader.message();
  while (!packed.done) list.push(readValue(packed, 'varint', items, context));
}

function readEntry(reader: ProtobufReader, node: FieldNode, into: Record<string, unknown>, depth: number): void {
  const items = node.schema.items!;
  const goType = elementGoType(node.goType);
  let key = '';
  let value: unknown = items.type === 'string' || items.type === 'bytes' ? '' : items.type === 'list' ? [] : undefined;
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (number === 1) key = bytesOf(kind, () => reader.string());
    else if (number === 2) value = readValue(reader, kind, items, { goType, depth });
    else reader.skip(kind);
  }
  const map = (into[node.name] ??= {}) as Record<string, unknown>;
  setOwn(map, key, value);
}

interface ValueContext {
  readonly goType: string;
  readonly depth: number;
}

function readValue(reader: ProtobufReader, kind: WireKind, schema: TypeSchema, context: ValueContext): unknown {
  switch (schema.type) {
    case 'boolean':
      return varintOf(kind, () => reader.bool());
    case 'int32':
      return varintOf(kind, () => reader.int32());
    case 'int64':
      return varintOf(kind, () => reader.int64());
    case 'number':
      if (kind !== 'fixed64') throw wrongKind(kind);
      return reader.double();
    case 'string':
      return bytesOf(kind, () => reader.string());
    case 'bytes':
      return bytesOf(kind, () => base64(reader.bytes()));
    case 'object':
      return readObject(messageOf(reader, kind), tableOf(schema.name!), context.depth);
    case 'list':
      return readStringList(messageOf(reader, kind));
    default:
      return readSpecial(messageOf(reader, kind), schema, context);
  }
}

/** Messages whose JSON is a scalar, or free-form. */
function readSpecial(reader: ProtobufReader, schema: TypeSchema, context: ValueContext): unknown {
  switch (schema.type) {
    case 'quantity':
      return readStrings(reader).get(1) ?? '0';
    case 'time':
      return readTime(reader, 0);
    case 'microTime':
      return readTime(reader, 6);
    case 'duration':
      return readDuration(reader);
    case 'intOrString':
      return readIntOrString(reader);
    case 'any':
      return readFreeForm(reader, context);
    default:
      throw new ProtobufError(`a ${schema.type} cannot be read here`);
  }
}

function readStrings(reader: ProtobufReader): Map<number, string> {
  const strings = new Map<number, string>();
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (kind === 'bytes') strings.set(number, reader.string());
    else reader.skip(kind);
  }
  return strings;
}

function readIntegers(reader: ProtobufReader): Map<number, number> {
  const integers = new Map<number, number>();
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (kind === 'varint') integers.set(number, reader.int64());
    else reader.skip(kind);
  }
  return integers;
}

/** Lists inside maps are messages of their own (`ExtraValue`): items at number 1. */
function readStringList(reader: ProtobufReader): string[] {
  const items: string[] = [];
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (number === 1 && kind === 'bytes') items.push(reader.string());
    else reader.skip(kind);
  }
  return items;
}

/** The last second of the year 9999: what RFC 3339 can write. */
const maxSeconds = 253_402_300_799;

/** An empty message is no time at all. */
function readTime(reader: ProtobufReader, decimals: 0 | 6): string | undefined {
  const parts = readIntegers(reader);
  const seconds = parts.get(1);
  if (seconds === undefined) return undefined;
  if (seconds < -62_135_596_800 || seconds > maxSeconds) throw new ProtobufError('a time is outside of the years 1 to 9999');
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (decimals === 0) return `${text}Z`;
  const micros = Math.floor((parts.get(2) ?? 0) / 1000);
  return `${text}.${String(Math.max(0, Math.min(micros, 999_999))).padStart(6, '0')}Z`;
}

function readDuration(reader: ProtobufReader): string {
  return `${readIntegers(reader).get(1) ?? 0}ns`;
}

function readIntOrString(reader: ProtobufReader): number | string {
  let isString = false;
  let integer = 0;
  let text = '';
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (number === 1 && kind === 'varint') isString = reader.int32() === 1;
    else if (number === 2 && kind === 'varint') integer = reader.int32();
    else if (number === 3 && kind === 'bytes') text = reader.string();
    else reader.skip(kind);
  }
  return isString ? text : integer;
}

/** JSON inside a message, or one of the messages of CustomResourceDefinitions whose JSON has a form of its own. */
function readFreeForm(reader: ProtobufReader, { goType, depth }: ValueContext): unknown {
  const form = ownForms[goType];
  if (form) return form(reader, depth);
  let value: unknown = null;
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (number === 1 && kind === 'bytes') value = parseJson(reader.string());
    else reader.skip(kind);
  }
  return value;
}

function parseJson(text: string): unknown {
  if (text === '') return null;
  if (jsonShape(text).depth > maxNesting) throw new ProtobufError('exceeded max depth');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtobufError('free-form JSON in the message is malformed', { cause: error });
  }
}

type FormReader = (reader: ProtobufReader, depth: number) => unknown;

const ownForms: Readonly<Record<string, FormReader>> = {
  'v1.JSONSchemaPropsOrArray': (reader, depth) => readUnion(reader, depth, { one: 1, many: 2 }),
  'v1.JSONSchemaPropsOrStringArray': (reader, depth) => readUnion(reader, depth, { one: 1, strings: 2 }),
  'v1.JSONSchemaPropsOrBool': (reader, depth) => readUnion(reader, depth, { allows: 1, one: 2 }),
  // A message without fields: that it is there is what it says.
  'v1.CustomResourceSubresourceStatus': () => ({}),
};

/** A schema, a list of schemas or strings, or a boolean: which, depends on the fields that are set. */
function readUnion(
  reader: ProtobufReader,
  depth: number,
  numbers: { one: number; many?: number; strings?: number; allows?: number },
): unknown {
  let one: unknown;
  let allows = false;
  const list: unknown[] = [];
  while (!reader.done) {
    const { number, kind } = reader.tag();
    if (kind === 'bytes' && number === numbers.strings) list.push(reader.string());
    else if (kind === 'bytes' && (number === numbers.one || number === numbers.many)) {
      const message = readObject(reader.message(), tableOf('JSONSchemaProps'), depth + 1);
      const schema = toTyped(message, schemaOf('JSONSchemaProps')).value;
      if (number === numbers.one) one = schema;
      else list.push(schema);
    } else if (kind === 'varint' && number === numbers.allows) allows = reader.bool();
    else reader.skip(kind);
  }
  return one ?? (numbers.allows === undefined ? list : allows);
}

function messageOf(reader: ProtobufReader, kind: WireKind): ProtobufReader {
  if (kind !== 'bytes') throw wrongKind(kind);
  return reader.message();
}

function bytesOf<T>(kind: WireKind, read: () => T): T {
  if (kind !== 'bytes') throw wrongKind(kind);
  return read();
}

function varintOf<T>(kind: WireKind, read: () => T): T {
  if (kind !== 'varint') throw wrongKind(kind);
  return read();
}

function wrongKind(kind: WireKind): ProtobufError {
  return new ProtobufError(`wrong wire type ${kind} for a field`);
}

function base64(bytes: Uint8Array): string {
  return (bytes as Uint8Array & { toBase64(): string }).toBase64();
}
