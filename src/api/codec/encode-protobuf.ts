import { parseDuration } from '../../lib/duration.ts';
import { isJsonObject, type JsonObject, member } from '../patch/json-value.ts';
import { typeOfKind } from '../schema/schema.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { type FieldNode, type FieldTable, tableOf } from './field-table.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

import { elementGoType } from './wire-table.ts';

/** `k8s\0` */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/**
 * An object of the API, or a list of them, as a protobuf answer: the envelope and the message of its kind (apimachinery:
 * pkg/runtime/serializer/protobuf). Undefined for what has no message: custom resources, tables. Zero values that are absent stay absent; who
 * reads it fills them in.
 */
export function encodeProtobuf(value: unknown): Uint8Array | undefined {
  if (!isJsonObject(value)) return undefined;
  const raw = messageOf(value);
  if (!raw) return undefined;
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  const envelope = new ProtobufWriter();
  envelope.raw(magic);
  const identity = new ProtobufWriter();
  identity.string(1, apiVersion);
  identity.string(2, kind);
  envelope.blob(1, identity.bytes());
  envelope.blob(2, raw);
  envelope.string(3, '');
  envelope.string(4, '');
  return envelope.bytes();
}

/** The frame of a watch event: its length, and a message with its type and an object as `encodeProtobuf` made it. */
export function protobufEvent(type: string, object: Uint8Array): Uint8Array {
  const holder = new ProtobufWriter();
  holder.blob(1, object);
  const event = new ProtobufWriter();
  event.string(1, type);
  event.blob(2, holder.bytes());
  const bytes = event.bytes();
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length);
  frame.set(bytes, 4);
  return frame;
}

function messageOf(value: JsonObject): Uint8Array | undefined {
  const apiVersion = String(value['apiVersion']);
  const kind = String(value['kind']);
  if (Array.isArray(value['items'])) return listMessage(apiVersion, kind, value);
  if (kind === 'PartialObjectMetadata') return fieldsMessage([[1, 'ObjectMeta', value['metadata']]]);
  const type = typeOfKind(apiVersion, kind);
  return type === undefined ? undefined : objectMessage(value, tableOf(type));
}

/** Lists are alike: their metadata at 1, the items at 2. */
function listMessage(apiVersion: string, kind: string, value: JsonObject): Uint8Array | undefined {
  const items = value['items'] as unknown[];
  const itemKind = kind.replace(/List$/, '');
  if (itemKind === 'PartialObjectMetadata') {
    const rows = items.map((item) => fieldsMessage([[1, 'ObjectMeta', (item as JsonObject)['metadata']]]));
    return listOf(value['metadata'], rows);
  }
  const type = typeOfKind(apiVersion, itemKind);
  if (type === undefined) return undefined;
  return listOf(
    value['metadata'],
    items.map((item) => objectMessage(item as JsonObject, tableOf(type))),
  );
}

function listOf(metadata: unknown, items: readonly Uint8Array[]): Uint8Array {
  const writer = new ProtobufWriter();
  writer.blob(1, objectMessage((metadata ?? {}) as JsonObject, tableOf('ListMeta')));
  for (const item of items) writer.blob(2, item);
  return writer.bytes();
}

function fieldsMessage(fields: readonly (readonly [number: number, type: string, value: unknown])[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [number, type, value] of fields) writer.blob(number, objectMessage((value ?? {}) as JsonObject, tableOf(type)));
  return writer.bytes();
}

function objectMessage(value: JsonObject, table: FieldTable): Uint8Array {
  const writer = new ProtobufWriter();
  for (const [number, node] of table) {
    if (node instanceof Map) {
      const inlined = objectMessage(value, node);
      if (inlined.length > 0) writer.blob(number, inlined);
      continue;
    }
    const given = member(value, node.name);
    if (given !== undefined && given !== null) writeField(writer, number, node, given);
  }
  return writer.bytes();
}

function writeField(writer: ProtobufWriter, number: number, { schema, goType }: FieldNode, value: unknown): void {
  if (schema.type === 'list' && goType.startsWith('[]')) {
    for (const item of value as unknown[])
      writeValue(writer, number, { schema: schema.items!, goType: elementGoType(goType) }, item);
  } else if (schema.type === 'map') {
    for (const [key, item] of Object.entries(value as JsonObject)) {
      const entry = new ProtobufWriter();
      entry.string(1, key);
      writeValue(entry, 2, { schema: schema.items!, goType: elementGoType(goType) }, item);
      writer.blob(number, entry.bytes());
    }
  } else writeValue(writer, number, { schema, goType }, value);
}

interface Form {
  readonly schema: TypeSchema;
  readonly goType: string;
}

function writeValue(writer: ProtobufWriter, number: number, form: Form, value: unknown): void {
  switch (form.schema.type) {
    case 'boolean':
      writer.bool(number, value as boolean);
      break;
    case 'int32':
    case 'int64':
      writer.integer(number, value as number);
      break;
    case 'number':
      writer.double(number, value as number);
      break;
    case 'string':
      writer.string(number, value as string);
      break;
    case 'bytes':
      writer.blob(number, fromBase64((value ?? '') as string));
      break;
    case 'object':
      writer.blob(number, objectMessage((value ?? {}) as JsonObject, tableOf(form.schema.name!)));
      break;
    default:
      writer.blob(number, specialMessage(form, value));
  }
}

/** Messages whose JSON is a scalar, a list inside of a map, or free-form. */
function specialMessage({ schema, goType }: Form, value: unknown): Uint8Array {
  const writer = new ProtobufWriter();
  switch (schema.type) {
    case 'quantity':
      writer.string(1, String(value));
      break;
    case 'time':
    case 'microTime':
      if (typeof value === 'string') writeTime(writer, value);
      break;
    case 'duration':
      writer.integer(1, parseDuration(value as string));
      break;
    case 'intOrString':
      writer.integer(1, typeof value === 'string' ? 1 : 0);
      if (typeof value === 'string') writer.string(3, value);
      else writer.integer(2, value as number);
      break;
    case 'list':
      for (const item of value as string[]) writer.string(1, item);
      break;
    default:
      writeFreeForm(writer, goType, value);
  }
  return writer.bytes();
}

function writeTime(writer: ProtobufWriter, text: string): void {
  writer.integer(1, Math.floor(Date.parse(text) / 1000));
  const fraction = /\.(\d{1,9})/.exec(text)?.[1];
  if (fraction) writer.integer(2, Number(fraction.padEnd(9, '0')));
}

/** JSON inside a message, or one of the messages of CustomResourceDefinitions whose JSON has a form of its own. */
function writeFreeForm(writer: ProtobufWriter, goType: string, value: unknown): void {
  const one = (number: number, schema: unknown): void =>
    writer.blob(number, objectMessage(schema as JsonObject, tableOf('JSONSchemaProps')));
  if (goType === 'v1.JSONSchemaPropsOrArray') {
    if (Array.isArray(value)) for (const schema of value) one(2, schema);
    else one(1, value);
  } else if (goType === 'v1.JSONSchemaPropsOrStringArray') {
    if (Array.isArray(value)) for (const text of value) writer.string(2, String(text));
    else one(1, value);
  } else if (goType === 'v1.JSONSchemaPropsOrBool') {
    writer.bool(1, value !== false);
    if (isJsonObject(value)) one(2, value);
  } else if (goType !== 'v1.CustomResourceSubresourceStatus') writer.string(1, JSON.stringify(value));
}

function fromBase64(text: string): Uint8Array {
  return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array }).fromBase64(text);
}
