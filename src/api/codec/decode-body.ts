import { type AnyObject, apiVersionOf, type KubeObject } from '../meta.ts';
import { schemaOf, typeOfKind } from '../schema/schema.ts';
import type { FieldSchema, TypeSchema } from '../schema/type-schema.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { goKindOf } from './json-objects.ts';
import { BodyError, bodyFormat, type ParsedBody, parseJsonBody, parseYamlBody } from './parse-body.ts';
import { decodeMessage, openEnvelope, type ProtobufEnvelope } from './protobuf.ts';
import { ProtobufError } from './protobuf-reader.ts';
import { pruned } from './prune.ts';
import { strictCheck } from './strict-check.ts';
import { TypeMismatch, toTyped } from './typed.ts';
import { warningsOf } from './yaml.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What is expected in a body. A `Kind` is one. */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The name in the generated schema; absent or empty: it is not in it. */
  readonly type?: string;
  /**
   * For kinds made at run time, which have no generated type: what the schema does not name is pruned, values are left to validation.
   * apiVersion, kind and metadata need not be in it. Kinds with neither type nor schema accept anything.
   */
  readonly schema?: TypeSchema;
}

export interface DecodeRequest {
  readonly bytes: Uint8Array;
  /** Empty means JSON. */
  readonly contentType: string;
  readonly kind: BodyKind;
  readonly fieldValidation: FieldValidation;
}

/** Makes the error of what does not fit its type, or is refused as unknown or duplicate. */
export type Refuse = (why: string) => StatusError;

export interface DecodedBody<T extends KubeObject = KubeObject> {
  readonly object: T;
  /** Unknown and duplicate fields, when they are to be warned of. */
  readonly warnings: readonly string[];
}

/**
 * Reads an object of a known kind from a request body: JSON, YAML or protobuf. The result has apiVersion, kind and metadata, and the form
 * `toTyped` describes. Unknown and duplicate fields are refused, reported or dropped, as `fieldValidation` says. Every failure is a
 * StatusError (400, 415) with upstream's message (apiserver: pkg/endpoints/handlers/create.go, rest.go transformDecodeError).
 */
export function decodeBody<T extends KubeObject = KubeObject>(request: DecodeRequest): DecodedBody<T> {
  const format = bodyFormat(request.contentType);
  try {
    if (format === 'protobuf') return decodeProtobuf(request) as DecodedBody<T>;
    const body = format === 'json' ? parseJsonBody(request.bytes) : parseYamlBody(request.bytes);
    return decodeParsed(body, request) as DecodedBody<T>;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    if (error instanceof BodyError || error instanceof ProtobufError) throw unrecognized(error.message, request);
    throw error;
  }
}

/**
 * Checks a JSON value, for example the result of a patch, as if it had been sent as a body. `fieldValidation` as for `decodeBody`.
 */
export function decodeValue<T extends KubeObject = KubeObject>(
  value: unknown,
  options: { kind: BodyKind; fieldValidation: FieldValidation; refuse?: Refuse },
): DecodedBody<T> {
  const text = (): string => JSON.stringify(value ?? null);
  const body: ParsedBody = { value, text, keys: undefined, duplicates: undefined, fractions: false };
  return decodeParsed(body, { ...options, bytes: new Uint8Array(), contentType: '' }) as DecodedBody<T>;
}

function decodeParsed(body: ParsedBody, request: DecodeRequest & { readonly refuse?: Refuse }): DecodedBody {
  const { kind, refuse = (why) => cannotBeHandled(kind, why) } = request;
  const actual = { ...identityOf(body.value) };
  checkIdentity(actual, kind);
  const schema = schemaFor(kind);
  let typed: ReturnType<typeof toTyped>;
  try {
    typed = schema.name === undefined ? pruned(body.value ?? {}, schema) : toTyped(body.value ?? {}, schema);
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error;
    throw refuse(strictCheck(body.text(), schema).mismatch ?? 'json: a value has the wrong type');
  }
  if (body.fractions) {
    const { mismatch } = strictCheck(body.text(), schema);
    if (mismatch !== undefined) throw refuse(mismatch);
  }
  const isClean = typed.unknownFields === 0 && (body.keys ?? typed.keys) === typed.keys && body.duplicates === undefined;
  const problems = isClean || request.fieldValidation === 'Ignore' ? [] : problemsOf(body, schema);
  if (problems.length > 0 && request.fieldValidation === 'Strict') {
    throw refuse(`strict decoding error: ${problems.join(', ')}`);
  }
  const object = completed(typed.value as AnyObject, kind);
  // An empty list says that they shall be cleared; elsewhere it says nothing, and is left out.
  if (clearsManagers(body.value)) object.metadata.managedFields = [];
  return { object, warnings: problems.flatMap(warningsOf) };
}

function clearsManagers(value: unknown): boolean {
  const { managedFields } = (value as { metadata?: { managedFields?: unknown } | null } | null)?.metadata ?? {};
  return Array.isArray(managedFields) && managedFields.length === 0;
}

function problemsOf(body: ParsedBody, schema: TypeSchema): readonly string[] {
  const { problems } = strictCheck(body.text(), schema);
  // What was not JSON from the beginning has its fields in the order of their names.
  const found = body.keys === undefined ? problems.toSorted() : problems;
  return body.duplicates === undefined ? found : [body.duplicates, ...found];
}

function decodeProtobuf(request: DecodeRequest): DecodedBody {
  const { kind } = request;
  const envelope = openEnvelope(request.bytes);
  checkIdentity(envelope, kind);
  if (!kind.type || kind.schema) throw badRequest(`${kind.kind} can only be sent as JSON or YAML`);
  try {
    return {
      object: completed(toTyped(decodeMessage(envelope.raw, kind.type), schemaOf(kind.type)).value as AnyObject, kind),
      warnings: [],
    };
  } catch (error) {
    if (error instanceof TypeMismatch) throw cannotBeHandled(kind, 'a field of the message has a value its type does not allow');
    if (error instanceof ProtobufError) throw cannotBeHandled(kind, `proto: ${error.message}`);
    throw error;
  }
}

/** Names the object, and puts what identifies it first: storage and watch rely on that. */
function completed(object: AnyObject, kind: BodyKind): AnyObject {
  const hasMetadata = kind.kind !== 'DeleteOptions' || object.metadata !== undefined;
  const { metadata, kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  const head = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
  return (hasMetadata ? { ...head, metadata: metadata ?? {}, ...rest } : { ...head, ...rest }) as AnyObject;
}

function schemaFor(kind: BodyKind): TypeSchema {
  if (kind.type && !kind.schema) return schemaOf(kind.type);
  const own = kind.schema ?? anyObject;
  const known = completeSchemas.get(own);
  if (known) return known;
  const complete = { ...own, fields: new Map([...identityFields(), ...(own.fields ?? [])]) };
  completeSchemas.set(own, complete);
  return complete;
}

const anyObject: TypeSchema = { type: 'object', preserveUnknownFields: true };
/** Schemas of run-time kinds with the fields every object has. */
const completeSchemas = new WeakMap<TypeSchema, TypeSchema>();

function identityFields(): [string, FieldSchema][] {
  return [
    ['kind', { schema: { type: 'string' }, required: true, zero: 'keep' }],
    ['apiVersion', { schema: { type: 'string' }, required: true, zero: 'keep' }],
    ['metadata', { schema: schemaOf('ObjectMeta'), required: true, zero: 'keep' }],
  ];
}

const identityStruct = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** What the body says it is. Throws BodyError when it cannot be told. */
function identityOf(value: unknown): { apiVersion: string; kind: string } {
  const parseError = "couldn't get version/kind; json parse error: json: cannot unmarshal";
  if (value === null || value === undefined) return { apiVersion: '', kind: '' };
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new BodyError(`${parseError} ${goKindOf(value)} into Go value of type ${identityStruct}`);
  }
  const identity = { apiVersion: '', kind: '' };
  for (const name of ['apiVersion', 'kind'] as const) {
    const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
    if (given === null) continue;
    if (typeof given !== 'string') {
      throw new BodyError(`${parseError} ${goKindOf(given)} into Go struct field .${name} of type string`);
    }
    identity[name] = given;
  }
  return identity;
}

/** The body may leave out what it is; what it does say has to be right. */
function checkIdentity(actual: Pick<ProtobufEnvelope, 'apiVersion' | 'kind'>, expected: BodyKind): void {
  const [group, version] = splitApiVersion(actual.apiVersion);
  const kind = actual.kind || expected.kind;
  const sameGroup = group === expected.group || (group === '' && version === '');
  if (kind === expected.kind && sameGroup && (version === expected.version || version === '')) return;
  // Every group has its own DeleteOptions, all of them the same.
  if (kind === 'DeleteOptions' && expected.kind === 'DeleteOptions') return;
  const apiVersion = actual.apiVersion || apiVersionOf(expected);
  const head = `${kind} in version ${JSON.stringify(version || expected.version)} cannot be handled as a ${expected.kind}`;
  if (!isRegistered(apiVersion, kind)) {
    const scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"';
    throw badRequest(
      `${head}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} ${scheme}`,
    );
  }
  if (kind === expected.kind && group === expected.group) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(expected)})`,
    );
  }
  const hub = `${(expected.group || 'core').split('.', 1)[0]}.${expected.kind}`;
  throw badRequest(`${head}: converting (${version || expected.version}.${kind}) to (${hub}): unknown conversion`);
}

/** Lists of a kind are kinds, too. */
function isRegistered(apiVersion: string, kind: string): boolean {
  if (kind === 'List' && apiVersion === 'v1') return true;
  if (typeOfKind(apiVersion, kind) !== undefined) return true;
  return kind.endsWith('List') && typeOfKind(apiVersion, kind.slice(0, -'List'.length)) !== undefined;
}

function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw new BodyError(`unexpected GroupVersion string: ${apiVersion}`);
  return parts.length === 2 ? [parts[0]!, parts[1]!] : ['', apiVersion];
}

function cannotBeHandled(kind: BodyKind, why: string): StatusError {
  return badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${why}`);
}

/** The longest part of a body that is quoted in a message. */
const maxSummary = 30;

function unrecognized(why: string, { bytes, kind }: DecodeRequest): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summaryOf(bytes)})`);
}

function summaryOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const head = bytes.subarray(0, maxSummary);
  const text = bytes[0] === 0x7b ? new TextDecoder().decode(head) : (head as Uint8Array & { toHex(): string }).toHex();
  return bytes.length > maxSummary ? `${text} ...` : text;
}
