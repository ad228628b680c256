import type { ApiDescriptor, Input } from './descriptor.ts';
import { scalarWireType, WireReader, WireWriter, wire32, wire64, wireBytes, wireVarint } from './wire.ts';

interface Field {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly cardinality: 'single' | 'optional' | 'repeated' | 'map';
  readonly wireType: number;
  readonly enum: EnumTable | undefined;
  readonly isMessage: boolean;
  /** The key of a map entry. */
  readonly key?: Field;
}

interface EnumTable {
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

interface MessageType {
  readonly fields: readonly Field[];
  readonly byId: ReadonlyMap<number, Field>;
}

type Loose = Record<string, unknown>;

const noBytes = Buffer.alloc(0);

/**
 * Protobuf (proto3) for the messages of a descriptor. Field names stay as in the .proto. Enums are their names; a value without a name
 * decodes to its number as text. 64-bit integers are numbers: nanosecond timestamps keep 256 ns precision, enough for milliseconds.
 * A decoded message has every field; absent messages and members of oneofs are undefined. Decoded bytes share the input's memory.
 */
export class Codec<Methods, Messages> {
  readonly #descriptor: ApiDescriptor<Methods, Messages>;
  readonly #types = new Map<string, MessageType>();

  constructor(descriptor: ApiDescriptor<Methods, Messages>) {
    this.#descriptor = descriptor;
  }

  encode<Name extends keyof Messages & string>(name: Name, message: Input<Messages[Name]>): Buffer {
    return this.#encode(this.#type(name), message as Loose);
  }

  decode<Name extends keyof Messages & string>(name: Name, data: Uint8Array): Messages[Name] {
    return this.#decode(this.#type(name), new WireReader(data)) as Messages[Name];
  }

  #type(name: string): MessageType {
    let type = this.#types.get(name);
    if (type) return type;
    const tuples = this.#descriptor.messages[name as keyof Messages];
    if (!tuples) throw new Error(`no message ${name}`);
    const fields = tuples.map(([id, fieldName, fieldType, cardinality, keyType]): Field => {
      const field = { ...this.#scalarOrReference(id, fieldName, fieldType), cardinality: cardinality ?? 'single' } as const;
      return keyType ? { ...field, key: this.#scalarOrReference(1, 'key', keyType) } : field;
    });
    type = { fields, byId: new Map(fields.map((field) => [field.id, field])) };
    this.#types.set(name, type);
    return type;
  }

  #scalarOrReference(id: number, name: string, type: string): Field {
    const values = this.#descriptor.enums[type];
    const scalar = scalarWireType(type);
    const wireType = scalar ?? (values ? wireVarint : wireBytes);
    const table = values && {
      numbers: new Map(Object.entries(values)),
      names: new Map(Object.entries(values).map(([text, value]) => [value, text])),
    };
    return { id, name, type, cardinality: 'single', wireType, enum: table, isMessage: scalar === undefined && !values };
  }

  #encode(type: MessageType, message: Loose): Buffer {
    const writer = new WireWriter();
    for (const field of type.fields) {
      const value = message[field.name];
      if (value === undefined || value === null) continue;
      if (field.cardinality === 'repeated') this.#writeRepeated(writer, field, value as readonly unknown[]);
      else if (field.cardinality === 'map') this.#writeMap(writer, field, value as Loose);
      else if (field.cardinality === 'optional' || field.isMessage || !isDefault(field, value))
        this.#writeField(writer, field, value);
    }
    return writer.finish();
  }

  #writeRepeated(writer: WireWriter, field: Field, values: readonly unknown[]): void {
    if (values.length === 0) return;
    if (field.wireType === wireBytes) {
      for (const value of values) this.#writeField(writer, field, value);
      return;
    }
    const packed = new WireWriter();
    for (const value of values) this.#writeValue(packed, field, value);
    writer.tag(field.id, wireBytes);
    writer.bytes(packed.finish());
  }

  #writeMap(writer: WireWriter, field: Field, entries: Loose): void {
    for (const [key, value] of Object.entries(entries)) {
      const entry = new WireWriter();
      this.#writeField(entry, field.key!, field.key!.type === 'string' ? key : Number(key));
      this.#writeField(entry, { ...field, id: 2 }, value);
      writer.tag(field.id, wireBytes);
      writer.bytes(entry.finish());
    }
  }

  #writeField(writer: WireWriter, field: Field, value: unknown): void {
    writer.tag(field.id, field.wireType);
    this.#writeValue(writer, field, value);
  }

  #writeValue(writer: WireWriter, field: Field, value: unknown): void {
    if (field.enum) {
      const number = field.enum.numbers.get(value as string);
      if (number === undefined) throw new Error(`${value} is no ${field.type}`);
      writer.varint(number);
    } else if (field.isMessage) writer.bytes(this.#encode(this.#type(field.type), value as Loose));
    else if (field.type === 'string') writer.string(value as string);
    else if (field.type === 'bytes') writer.bytes(value as Uint8Array);
    else if (field.type === 'bool') writer.varint(value ? 1 : 0);
    else if (field.wireType === wire64 || field.wireType === wire32) writer.fixed(field.type, value as number);
    else if (field.type.startsWith('sint')) writer.varint(zigzag(value as number));
    else writer.varint(value as number);
  }

  #decode(type: MessageType, reader: WireReader): Loose {
    const message: Loose = {};
    for (const field of type.fields) message[field.name] = emptyValue(field);
    while (!reader.done) {
      const tag = reader.varint();
      const field = type.byId.get(Math.floor(tag / 8));
      if (!field) reader.skip(tag % 8);
      else if (field.cardinality === 'map') this.#readEntry(reader, field, message[field.name] as Loose);
      else if (field.cardinality === 'repeated') this.#readRepeated(reader, field, tag % 8, message[field.name] as unknown[]);
      else message[field.name] = this.#readValue(reader, field);
    }
    return message;
  }

  #decodeNested(name: string, reader: WireReader): Loose {
    const outer = reader.enter();
    const message = this.#decode(this.#type(name), reader);
    reader.leave(outer);
    return message;
  }

  #readRepeated(reader: WireReader, field: Field, wireType: number, into: unknown[]): void {
    if (wireType !== wireBytes || field.wireType === wireBytes) {
      into.push(this.#readValue(reader, field));
      return;
    }
    const outer = reader.enter();
    while (!reader.done) into.push(this.#readValue(reader, field));
    reader.leave(outer);
  }

  #readEntry(reader: WireReader, field: Field, into: Loose): void {
    const outer = reader.enter();
    let key: unknown = field.key!.type === 'string' ? '' : 0;
    let value: unknown;
    while (!reader.done) {
      if (Math.floor(reader.varint() / 8) === 1) key = this.#readValue(reader, field.key!);
      else value = this.#readValue(reader, field);
    }
    reader.leave(outer);
    into[String(key)] = value ?? this.#entryDefault(field);
  }

  #entryDefault(field: Field): unknown {
    return field.isMessage ? this.#decode(this.#type(field.type), new WireReader(noBytes)) : scalarDefault(field);
  }

  #readValue(reader: WireReader, field: Field): unknown {
    if (field.type === 'string') return reader.string();
    if (field.enum) {
      const number = reader.signedVarint();
      return field.enum.names.get(number) ?? String(number);
    }
    if (field.isMessage) return this.#decodeNested(field.type, reader);
    if (field.type === 'bytes') return reader.bytes();
    if (field.type === 'bool') return reader.varint() !== 0;
    if (field.wireType === wire64 || field.wireType === wire32) return reader.fixed(field.type);
    if (field.type.startsWith('sint')) return unzigzag(reader.varint());
    return field.type.startsWith('u') ? reader.varint() : reader.signedVarint();
  }
}

function emptyValue(field: Field): unknown {
  if (field.cardinality === 'repeated') return [];
  if (field.cardinality === 'map') return {};
  if (field.cardinality === 'optional' || field.isMessage) return undefined;
  return scalarDefault(field);
}

function scalarDefault(field: Field): unknown {
  if (field.enum) return field.enum.names.get(0) ?? '0';
  if (field.type === 'string') return '';
  if (field.type === 'bool') return false;
  return field.type === 'bytes' ? noBytes : 0;
}

function isDefault(field: Field, value: unknown): boolean {
  if (field.type === 'bytes') return (value as Uint8Array).length === 0;
  return value === scalarDefault(field);
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
