import { decodeValue } from '../../api/codec/decode-body.ts';
import { setOwn } from '../../api/codec/json-objects.ts';
import { BodyError, type ParsedBody, parseYamlBody } from '../../api/codec/parse-body.ts';
import { warningsOf } from '../../api/codec/yaml.ts';
import type { Kind } from '../../api/kind.ts';
import { checkApplied } from '../../api/managed-fields/check-applied.ts';
import { applyServerSide, untypedApply } from '../../api/managed-fields/server-side-apply.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';
import { goText, isJsonObject, type JsonObject, member } from '../../api/patch/json-value.ts';
import type { TypeSchema } from '../../api/schema/type-schema.ts';
import { badRequest, conflict } from '../../api/status-error.ts';
import { ownableFields, schemaOfKind, versionsOf } from './managers.ts';
import type { PatchApplication } from './patch.ts';
import { settleName } from './system-fields.ts';

/** Server-side apply of what a client sent (apiserver: pkg/endpoints/handlers/patch.go applyPatcher). */
export function applyConfiguration(application: PatchApplication): KubeObject {
  const { kinds, kind, key, current, patch, call, nowMs, subresource } = application;
  const schema = schemaOfKind(kind);
  if (!schema) throw badRequest(`${kind.kind} has no schema: it cannot be applied by the server`);
  const body = parseApplied(patch.bytes);
  const applied = decodeApplied(kind, body, schema);
  if (applied.metadata.namespace === undefined && key.namespace) applied.metadata.namespace = key.namespace;
  settleName(applied, key.name);
  if (!current && applied.metadata.uid) throw conflict(kind, key.name, uidMismatch(key, applied.metadata.uid));
  const result = applyServerSide({
    live: current,
    applied,
    schema,
    manager: call.fieldManager,
    force: patch.force,
    subresource,
    filter: ownableFields(kind, subresource, application.only),
    showIn: versionsOf(kinds, kind),
    nowMs,
  });
  reportDuplicates(application, body);
  return result;
}

function parseApplied(bytes: Uint8Array): ParsedBody {
  try {
    return parseYamlBody(bytes);
  } catch (error) {
    if (error instanceof BodyError) throw badRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
}

/** What the client sent, without the fields a typed object always has: it owns only what it named. */
function decodeApplied(kind: Kind, { value }: ParsedBody, schema: TypeSchema): KubeObject {
  const sent = (value ?? {}) as JsonObject;
  if (!isJsonObject(sent)) {
    const what = Array.isArray(sent) ? 'array' : typeof sent === 'boolean' ? 'bool' : typeof sent;
    const target = 'Go value of type map[string]interface {}';
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${what} into ${target}`,
    );
  }
  if (member(sent, 'apiVersion') !== apiVersionOf(kind) || member(sent, 'kind') !== kind.kind) {
    throw badRequest(`invalid object type: ${groupVersionKindText(sent)}`);
  }
  if (isJsonObject(sent['metadata']) && (sent['metadata']['managedFields'] ?? undefined) !== undefined) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problem = checkApplied(sent, schema);
  if (problem !== undefined) throw untypedApply(sent as unknown as KubeObject, problem);
  const { object } = decodeValue(sent, { kind, fieldValidation: 'Ignore' });
  const { metadata = {}, ...fields } = onlySent(object, sent, schema) as Partial<KubeObject>;
  return { ...fields, kind: object.kind, apiVersion: object.apiVersion, metadata } as KubeObject;
}

/** `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
function groupVersionKindText(sent: JsonObject): string {
  const [apiVersion, kind] = [member(sent, 'apiVersion') ?? '', member(sent, 'kind') ?? ''].map(goText);
  return `${apiVersion!.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

/** Fields that were sent twice; which of them was applied nobody can say. */
function reportDuplicates({ patch, call }: PatchApplication, { duplicates }: ParsedBody): void {
  if (duplicates === undefined || patch.fieldValidation === 'Ignore') return;
  const problem = `error converting YAML to JSON: ${duplicates}`;
  if (patch.fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: ${problem}`);
  for (const warning of warningsOf(problem)) call.warn(warning);
}

/** The typed value without what the decoder filled in, and with the empty lists and maps it leaves out: naming them owns them. */
function onlySent(typed: unknown, sent: unknown, schema: TypeSchema | undefined): unknown {
  if (Array.isArray(typed)) {
    if (!Array.isArray(sent) || sent.length !== typed.length) return typed;
    return typed.map((item, i) => onlySent(item, sent[i], schema?.items));
  }
  if (!isJsonObject(typed) || !isJsonObject(sent)) return typed;
  const kept: JsonObject = {};
  for (const [name, given] of Object.entries(sent)) {
    if (given === null) continue;
    const value = member(typed, name);
    const field = schema?.type === 'map' ? schema.items : schema?.fields?.get(name)?.schema;
    if (value !== undefined) setOwn(kept, name, onlySent(value, given, field));
    else if (field && isEmptyContainer(given)) setOwn(kept, name, given);
  }
  return kept;
}

function isEmptyContainer(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}

function uidMismatch(key: PatchApplication['key'], uid: string): string {
  return `uid mismatch: the provided object specified uid ${uid}, and no existing object was found for ${key.name}`;
}
