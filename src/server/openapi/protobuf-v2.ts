type Json = Readonly<Record<string, unknown>>;

/**
 * How fields travel: `number` and what they are: `s` text, `b` boolean, `l` whole number, `d` number, `S` texts, `A` anything (as YAML text), or the
 * name of a message; `*` before it when there are several. `x` stands for all fields whose names begin with `x-`.
 */
const messages: Readonly<Record<string, string>> = {
  Document:
    'swagger:1s info:2Info schemes:5S consumes:6S produces:7S paths:8Paths definitions:9Schemas security:12*Requirement securityDefinitions:13Definitions',
  Info: 'title:1s version:2s description:3s',
  ApiKey: 'type:1s name:2s in:3s description:4s',
  PathItem:
    'get:2Operation put:3Operation post:4Operation delete:5Operation options:6Operation head:7Operation patch:8Operation parameters:9*Parameter',
  Operation:
    'tags:1S summary:2s description:3s operationId:5s produces:6S consumes:7S parameters:8*Parameter responses:9Responses schemes:10S deprecated:11b x:13',
  Response: 'description:1s schema:2SchemaItem',
  Body: 'description:1s name:2s in:3s required:4b schema:5Schema',
  Query: 'required:1b in:2s description:3s name:4s allowEmptyValue:5b type:6s format:7s pattern:17s uniqueItems:20b',
  Path: 'required:1b in:2s description:3s name:4s type:5s format:6s pattern:16s uniqueItems:19b',
  Schema:
    '$ref:1s format:2s title:3s description:4s default:5A maximum:7d minimum:9d maxLength:11l minLength:12l pattern:13s maxItems:14l minItems:15l ' +
    'uniqueItems:16b required:19S enum:20*A additionalProperties:21Additional type:22Types items:23Items allOf:24*Schema properties:25Schemas x:31',
};

interface FieldRow {
  readonly json: string;
  readonly number: number;
  readonly type: string;
  readonly several: boolean;
}

/** The OpenAPI v2 document as gnostic's protobuf message `openapi.v2.Document`: the only form in which Go clients ask for it. */
export function encodeOpenApiV2(document: Json): Uint8Array {
  return new Encoder().message('Document', document);
}

class Encoder {
  readonly #rows = new Map(Object.entries(messages).map(([name, text]) => [name, text.split(' ').map(fieldRow)]));

  message(type: string, value: Json): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const row of this.#rows.get(type)!) {
      if (row.json === 'x') parts.push(...this.#extensions(row.number, value));
      else if (value[row.json] !== undefined) parts.push(...this.#field(row, value[row.json]));
    }
    return Buffer.concat(parts);
  }

  #field({ number, type, several }: FieldRow, value: unknown): Uint8Array[] {
    if (type === 'S' || several) {
      const item = type === 'S' ? 's' : type;
      return (value as unknown[]).map((each) => this.#one(number, item, each));
    }
    return [this.#one(number, type, value)];
  }

  #one(number: number, type: string, value: unknown): Uint8Array {
    switch (type) {
      case 's':
        return field(number, Buffer.from(String(value)));
      case 'b':
        return Buffer.concat([tag(number, 0), varint(value ? 1 : 0)]);
      case 'l':
        return Buffer.concat([tag(number, 0), varint(Number(value))]);
      case 'd':
        return Buffer.concat([tag(number, 1), new Uint8Array(Float64Array.of(Number(value)).buffer)]);
      default:
        return field(number, this.#content(type, value));
    }
  }

  /** What is in a message; those whose JSON has another shape are made here. */
  #content(type: string, value: unknown): Uint8Array {
    switch (type) {
      case 'A':
        return field(2, Buffer.from(JSON.stringify(value)));
      case 'Types':
        return Buffer.concat([value].flat().map((each) => field(1, Buffer.from(String(each)))));
      case 'Items':
      case 'SchemaItem':
        return field(1, this.message('Schema', value as Json));
      case 'Additional':
        return typeof value === 'boolean' ? this.#one(2, 'b', value) : field(1, this.message('Schema', value as Json));
      case 'Schemas':
        return named(1, value as Json, (schema) => this.message('Schema', schema));
      case 'Paths':
        return named(2, value as Json, (item) => this.message('PathItem', item));
      case 'Responses':
        return named(1, value as Json, (response) => field(1, this.message('Response', response)));
      case 'Definitions':
        return named(1, value as Json, (definition) => field(2, this.message('ApiKey', definition)));
      case 'Requirement':
        return named(1, value as Json, (scopes) =>
          Buffer.concat([scopes].flat().map((each) => field(1, Buffer.from(String(each))))),
        );
      case 'Parameter':
        return this.#parameter(value as Json);
      default:
        return this.message(type, value as Json);
    }
  }

  #parameter(parameter: Json): Uint8Array {
    if (typeof parameter['$ref'] === 'string') return field(2, field(1, Buffer.from(parameter['$ref'])));
    if (parameter['in'] === 'body') return field(1, field(1, this.message('Body', parameter)));
    const [number, type] = parameter['in'] === 'path' ? [4, 'Path'] : [3, 'Query'];
    return field(1, field(2, field(number as number, this.message(type as string, parameter))));
  }

  #extensions(number: number, value: Json): Uint8Array[] {
    const extensions = Object.entries(value).filter(([name]) => name.startsWith('x-'));
    return extensions.map(([name, each]) => field(number, namedValue(name, this.#content('A', each))));
  }
}

function fieldRow(text: string): FieldRow {
  const [, json = '', number = '', several, type = ''] = /^([^:]+):(\d+)(\*?)(.*)$/.exec(text)!;
  return { json, number: Number(number), several: several === '*', type };
}

/** A map, as a list of what has a name and a value. */
function named(number: number, map: Json, content: (value: Json) => Uint8Array): Uint8Array {
  return Buffer.concat(Object.entries(map).map(([name, value]) => field(number, namedValue(name, content(value as Json)))));
}

function namedValue(name: string, value: Uint8Array): Uint8Array {
  return Buffer.concat([field(1, Buffer.from(name)), field(2, value)]);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([tag(number, 2), varint(bytes.length), bytes]);
}

function tag(number: number, wire: number): Uint8Array {
  return varint(number * 8 + wire);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
