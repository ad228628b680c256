import { lookup } from '../../lib/lookup.ts';
import { StatusError } from '../status-error.ts';
import { countKeys } from './json-objects.ts';
import { jsonShape } from './json-shape.ts';
import { jsonSyntaxError } from './json-syntax.ts';
import { maxNesting } from './limits.ts';
import { parseYaml, YamlError } from './yaml.ts';

/** A body as JSON. */
export interface ParsedBody {
  readonly value: unknown;
  /** The JSON text, for a second look; made from the value when the body was YAML. */
  text(): string;
  /** Object keys in the text, duplicates included; undefined for YAML, whose parser reports duplicates itself. */
  readonly keys: number | undefined;
  /** What the YAML parser says of equal keys. */
  readonly duplicates: string | undefined;
  /** There is a number with a fraction or an exponent; for an integer that is the wrong form, even with nothing behind the point. */
  readonly fractions: boolean;
}

/** The body is not what its content type says. The message is upstream's, without the part that names the expected kind. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads an object as JSON. Throws BodyError with the words of Go's decoder. */
export function parseJsonBody(bytes: Uint8Array): ParsedBody {
  return parseJson(bytes, "couldn't get version/kind; json parse error: ");
}

/** Reads any JSON. Throws BodyError with the words of Go's decoder, after those of `context`. */
export function parseJson(bytes: Uint8Array, context = ''): ParsedBody {
  const text = textDecoder.decode(bytes);
  const { keys, depth, fractions } = jsonShape(text);
  if (depth > maxNesting) throw new BodyError(`${context}exceeded max depth`);
  try {
    return { value: JSON.parse(text) as unknown, text: () => text, keys, duplicates: undefined, fractions };
  } catch (error) {
    throw new BodyError(context + (jsonSyntaxError(text) ?? 'invalid JSON'), { cause: error });
  }
}

/** Reads YAML (or JSON, which is YAML too). Throws BodyError, and StatusError 413 for YAML that would take too long. */
export function parseYamlBody(bytes: Uint8Array): ParsedBody {
  const source = textDecoder.decode(bytes);
  const json = parseAsJson(source);
  if (json) return json;
  if (jsonShape(source).depth > maxNesting || indentationDepth(source) > maxNesting) throw new BodyError('exceeded max depth');
  try {
    const { value, duplicates } = parseYaml(source);
    const text = JSON.stringify(value ?? null);
    if (jsonShape(text).depth > maxNesting) throw new BodyError('exceeded max depth');
    return { value: JSON.parse(text) as unknown, text: () => text, keys: undefined, duplicates, fractions: false };
  } catch (error) {
    if (error instanceof BodyError || error instanceof StatusError) throw error;
    if (error instanceof YamlError) throw new BodyError(error.message, { cause: error });
    throw new BodyError('error converting YAML to JSON', { cause: error });
  }
}

/**
 * Most clients send JSON where YAML is allowed, and parsing that as YAML takes many times as long. Undefined for text that is no JSON, and for
 * equal keys, which the YAML parser reports in words of its own.
 */
function parseAsJson(text: string): ParsedBody | undefined {
  const first = text.charCodeAt(0);
  if (first !== openObject && first !== openArray) return undefined;
  const { keys, depth } = jsonShape(text);
  if (depth > maxNesting) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    if (countKeys(value) !== keys) return undefined;
    return { value, text: () => text, keys: undefined, duplicates: undefined, fractions: false };
  } catch {
    return undefined;
  }
}

const openObject = 0x7b;
const openArray = 0x5b;

/** The deepest indentation plus the longest run of `- - -`: a bound of how deep a block document can nest. */
function indentationDepth(source: string): number {
  let deepest = 0;
  for (const m of source.matchAll(/^[ ]*(?:[-?:] +)*/gm)) deepest = Math.max(deepest, m[0].length / 2);
  return deepest;
}

/** The media types a body may have. */
export type BodyFormat = 'json' | 'yaml' | 'protobuf';

const formats: Readonly<Record<string, BodyFormat>> = lookup({
  '': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
});

/** The format a Content-Type names; without one it is JSON. Throws a 415. */
export function bodyFormat(contentType: string): BodyFormat {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  const format = formats[type.toLowerCase()];
  if (format && parameters.every((parameter) => parameter === '' || /^[^\s=]+=\S/.test(parameter))) return format;
  throw new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message:
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  });
}
