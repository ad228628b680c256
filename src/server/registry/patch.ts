import { type DecodedBody, decodeValue } from '../../api/codec/decode-body.ts';
import { countKeys } from '../../api/codec/json-objects.ts';
import { BodyError, type ParsedBody, parseJson } from '../../api/codec/parse-body.ts';
import { strictCheck } from '../../api/codec/strict-check.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { applyJsonPatch } from '../../api/patch/json-patch.ts';
import { goText, isJsonObject, type JsonObject } from '../../api/patch/json-value.ts';
import { applyMergePatch } from '../../api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../../api/patch/strategic-merge-patch.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import type { FieldSchema, TypeSchema } from '../../api/schema/type-schema.ts';
import { badRequest, isStatus, notFound, StatusError } from '../../api/status-error.ts';
import { applyConfiguration } from './apply.ts';
import type { Patch, PatchApplication } from './patch-application.ts';
import { nameMissing } from './system-fields.ts';

/** The object as the patch makes it. Throws StatusError: 400, 409, 415, 422 as upstream (apiserver: pkg/endpoints/handlers/patch.go). */
export function applyPatch(application: PatchApplication): KubeObject | Promise<KubeObject> {
  const { kind, key, current, patch, call } = application;
  if (patch.type === 'apply') return applyConfiguration(application);
  if (!current) throw notFound(kind, key.name);
  const body = parsePatch(patch);
  const value = patchedValue(kind, current, patch, body.value);
  // Without its version nobody knows what is what in it; upstream misses the name first.
  if (isJsonObject(value) && (value['apiVersion'] ?? '') === '') throw nameMissing(key.name);
  const refuse = (why: string): StatusError => {
    return doesNotFit(patch.type === 'strategic' ? goText(body.value) : JSON.stringify(value), why);
  };
  const { fieldValidation } = patch;
  const decoded = decodePatched(value, { kind, fieldValidation: fieldValidation === 'Ignore' ? 'Ignore' : 'Warn', refuse });
  if (fieldValidation === 'Ignore') return decoded.object;
  const problems = [...problemsOf(patch, body), ...decoded.warnings];
  if (problems.length > 0 && fieldValidation === 'Strict') throw refuse(`strict decoding error: ${problems.join(', ')}`);
  for (const problem of problems) call.warn(problem);
  return decoded.object;
}

/** What says that it is something else is refused like what does not fit. */
function decodePatched(value: unknown, options: Required<Parameters<typeof decodeValue>[1]>): DecodedBody {
  try {
    return decodeValue(value, options);
  } catch (error) {
    if (error instanceof BodyError) throw options.refuse(error.message);
    if (isStatus(error, 'BadRequest'))
      throw options.refuse(error.message.replace(/^\S+ in version ".*?" cannot be handled as a \S+: /, ''));
    throw error;
  }
}

function patchedValue(kind: Kind, current: KubeObject, { type }: Patch, body: unknown): unknown {
  switch (type) {
    case 'json':
      return applyJsonPatch(current, body);
    case 'merge':
      return applyMergePatch(current, body);
    default:
      return sameKind(applyStrategicMergePatch(current, body, schemaOf(kind.type)), current);
  }
}

/** What a strategic merge patch says of kind and version, as long as it is text, is not looked at. */
function sameKind(patched: JsonObject, { kind, apiVersion }: KubeObject): JsonObject {
  const isSaid = (name: string): boolean => typeof (patched[name] ?? '') === 'string';
  return isSaid('kind') && isSaid('apiVersion') ? { ...patched, kind, apiVersion } : patched;
}

function parsePatch({ bytes, type }: Patch): ParsedBody {
  try {
    return parseJson(bytes, type === 'strategic' ? '' : 'error decoding patch: ');
  } catch (error) {
    if (error instanceof BodyError) throw badRequest(error.message);
    throw error;
  }
}

/** The patched object is none of its kind; upstream tells so without naming the kind. */
function doesNotFit(value: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: ` "" is invalid: patch: ${message}`,
    details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] },
  });
}

const anyObject: TypeSchema = { type: 'any', preserveUnknownFields: true };
const text: FieldSchema = { schema: { type: 'string' }, required: false, zero: 'keep' };
const operations: TypeSchema = {
  type: 'list',
  items: {
    type: 'object',
    fields: new Map([...['op', 'path', 'from'].map((name) => [name, text] as const), ['value', { ...text, schema: anyObject }]]),
  },
};

/** Fields the patch names twice, and what operations of a JSON patch have besides their own fields. */
function problemsOf({ type }: Patch, body: ParsedBody): readonly string[] {
  if (type === 'json') return strictCheck(body.text(), operations).problems.map((problem) => `json patch ${problem}`);
  return body.keys === countKeys(body.value) ? [] : strictCheck(body.text(), anyObject).problems;
}
