import type { TypeSchema } from '../schema/type-schema.ts';
import { JsonCursor, type JsonKind } from './json-cursor.ts';
import { canonicalScalar, scalarProblem } from './scalars.ts';
import { elementGoType, type WireType, wireTypeOf } from './wire-table.ts';

/** What Go's strict decoder finds in a document, in its words and in the document's order. */
export interface StrictFindings {
  /** The value does not fit the type: nothing is decoded. */
  readonly mismatch: string | undefined;
  /** Unknown and duplicate fields. */
  readonly problems: readonly string[];
}

/** Upstream keeps all 64 bits; better no number than another one. */
const tooPrecise = 'integers beyond 2^53 cannot be kept exactly';
/** More than this many problems are not listed; upstream's number. */
const maxProblems = 100;

/**
 * Reads well-formed JSON text against a schema and words what is wrong with it. Slow, and only needed when the fast path saw that something
 * is. Upstream rules: sigs.k8s.io/json (strict field errors), Go's encoding/json (type errors).
 */
export function strictCheck(text: string, schema: TypeSchema): StrictFindings {
  const checker = new StrictChecker(text);
  try {
    checker.value(schema, schema.name === undefined ? '' : (wireTypeOf(schema.name)?.goName ?? ''));
  } catch (error) {
    if (error instanceof HardMismatch) return { mismatch: error.message, problems: [] };
    throw error;
  }
  return { mismatch: checker.mismatch, problems: [...checker.problems] };
}

/** A type with a decoder of its own refused its value: unlike other mismatches, that ends decoding at once. */
class HardMismatch extends Error {}

class StrictChecker {
  /** The first soft mismatch. */
  mismatch: string | undefined;
  readonly problems = new Set<string>();
  readonly #cursor: JsonCursor;
  /** `spec`, `.`, `containers`, `[0]`: joined they are the path in messages about unknown fields. */
  readonly #path: string[] = [];
  /** Field names from the root, without map keys and indexes: Go's path in messages about types. */
  #goPath: readonly string[] = [];
  #goStruct = '';

  constructor(text: string) {
    this.#cursor = new JsonCursor(text);
  }

  value(schema: TypeSchema, goType: string): void {
    const kind = this.#cursor.kind();
    const type = goType.replace(/^\*/, '').replace('byte', 'uint8');
    if (kind === 'null') this.#cursor.skip();
    else if (schema.type === 'any') this.#any(schema);
    else if (isDecodedByItself(schema)) this.#ownDecoder(schema);
    else if (kind === 'object') this.#objectOrMap(schema, type);
    else if (kind === 'array' && schema.type === 'list') this.#list(schema.items!, elementGoType(type));
    else if (kind === 'array') this.#mismatch('array', type);
    else this.#scalar(kind, schema, type);
  }

  #objectOrMap(schema: TypeSchema, goType: string): void {
    if (schema.type === 'object') this.#object(schema);
    else if (schema.type === 'map') this.#map(schema.items!, elementGoType(goType));
    else this.#mismatch('object', goType);
  }

  #object(schema: TypeSchema): void {
    const wire = schema.name === undefined ? undefined : wireTypeOf(schema.name);
    const seen = new Set<string>();
    const outerStruct = this.#goStruct;
    const outerPath = this.#goPath;
    this.#cursor.eachKey((key) => {
      const field = schema.fields!.get(key);
      if (!field && schema.preserveUnknownFields) {
        this.#noteDuplicate(seen, key);
        this.#below(key, () => this.#free());
        return;
      }
      if (!field) {
        this.#note(`unknown field ${quoted(this.#pathTo(key))}`);
        this.#cursor.skip();
        return;
      }
      this.#noteDuplicate(seen, key);
      const fact = wire?.fields.get(key);
      this.#goStruct = structName(wire, schema);
      this.#goPath = [...outerPath, ...(fact?.embedded ?? []), key];
      this.#below(key, () => this.value(field.schema, fact?.goType ?? 'string'));
      this.#goStruct = outerStruct;
      this.#goPath = outerPath;
    });
  }

  #map(items: TypeSchema, goType: string): void {
    const seen = new Set<string>();
    this.#cursor.eachKey((key) => {
      this.#noteDuplicate(seen, key);
      this.#below(key, () => this.value(items, goType));
    });
  }

  #list(items: TypeSchema, goType: string): void {
    this.#cursor.eachItem((index) => {
      this.#path.push(`[${index}]`);
      this.value(items, goType);
      this.#path.pop();
    });
  }

  /** Free-form fields of typed objects are taken as they are, equal keys included; those of custom resources are checked. */
  #any(schema: TypeSchema): void {
    if (schema.preserveUnknownFields) this.#free();
    else this.#cursor.skip();
  }

  #free(): void {
    if (this.#cursor.kind() === 'object') {
      const seen = new Set<string>();
      this.#cursor.eachKey((key) => {
        this.#noteDuplicate(seen, key);
        this.#below(key, () => this.#free());
      });
    } else if (this.#cursor.kind() === 'array') {
      this.#cursor.eachItem((index) => {
        this.#path.push(`[${index}]`);
        this.#free();
        this.#path.pop();
      });
    } else this.#cursor.skip();
  }

  /** Types with an UnmarshalJSON of their own: what they refuse ends decoding. */
  #ownDecoder(schema: TypeSchema): void {
    const kind = this.#cursor.kind();
    const source = this.#cursor.skip();
    if (schema.type === 'intOrString') {
      if (kind === 'string' || (kind === 'number' && isIntegerText(source, 32n))) return;
      throw new HardMismatch(this.#words(kind === 'number' ? `number ${source}` : goKind(kind), 'int32'));
    }
    if (canonicalScalar(schema.type, JSON.parse(source)) !== undefined) return;
    if (kind !== 'string' && schema.type !== 'quantity') throw new HardMismatch(this.#words(goKind(kind), 'string'));
    throw new HardMismatch(scalarProblem(schema.type, source));
  }

  #scalar(kind: JsonKind, schema: TypeSchema, goType: string): void {
    const source = this.#cursor.skip();
    const isInteger = schema.type === 'int32' || schema.type === 'int64';
    if (kind === 'number' && isInteger) {
      if (!isIntegerText(source, schema.type === 'int32' ? 32n : 64n)) this.#soft(this.#words(`number ${source}`, goType));
      else if (!Number.isSafeInteger(Number(source))) this.#soft(`${this.#words(`number ${source}`, goType)}: ${tooPrecise}`);
    } else if (kind === 'string' && schema.type === 'bytes') {
      if (canonicalScalar('bytes', JSON.parse(source)) === undefined) this.#soft(scalarProblem('bytes', source));
    } else if (kind !== schema.type) this.#soft(this.#words(goKind(kind), goType));
  }

  #mismatch(given: string, goType: string): void {
    this.#cursor.skip();
    this.#soft(this.#words(given, goType));
  }

  #soft(message: string): void {
    this.mismatch ??= message;
  }

  #words(given: string, goType: string): string {
    if (this.#goPath.length === 0) return `json: cannot unmarshal ${given} into Go value of type ${goType}`;
    return `json: cannot unmarshal ${given} into Go struct field ${this.#goStruct}.${this.#goPath.join('.')} of type ${goType}`;
  }

  #below(key: string, check: () => void): void {
    this.#path.push(this.#path.length > 0 ? `.${key}` : key);
    check();
    this.#path.pop();
  }

  #pathTo(key: string): string {
    return this.#path.length > 0 ? `${this.#path.join('')}.${key}` : key;
  }

  #noteDuplicate(seen: Set<string>, key: string): void {
    if (seen.has(key)) this.#note(`duplicate field ${quoted(this.#pathTo(key))}`);
    seen.add(key);
  }

  #note(problem: string): void {
    if (this.problems.size < maxProblems) this.problems.add(problem);
  }
}

const ownDecoders = new Set(['quantity', 'time', 'microTime', 'duration', 'intOrString']);

function isDecodedByItself(schema: TypeSchema): boolean {
  return ownDecoders.has(schema.type);
}

function structName(wire: WireType | undefined, schema: TypeSchema): string {
  return wire ? wire.goName.slice(wire.goName.indexOf('.') + 1) : (schema.name ?? '');
}

function goKind(kind: JsonKind): string {
  return kind === 'boolean' ? 'bool' : kind;
}

/** True for what Go's ParseInt takes for a signed integer of `bits` bits. */
function isIntegerText(source: string, bits: bigint): boolean {
  if (!/^-?\d{1,20}$/.test(source)) return false;
  const value = BigInt(source);
  const limit = 1n << (bits - 1n);
  return value >= -limit && value < limit;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
