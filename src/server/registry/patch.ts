import { decodeBody, decodeValue } from '../../api/codec/decode-body.ts';
import { setOwn } from '../../api/codec/json-objects.ts';
import { BodyError, parseJsonBody, parseYamlBody } from '../../api/codec/parse-body.ts';
import type { Kind } from '../../api/kind.ts';
import { applyServerSide } from '../../api/managed-fields/server-side-apply.ts';
import type { KubeObject } from '../../api/meta.ts';
import { applyJsonPatch } from '../../api/patch/json-patch.ts';
import { isJsonObject, type JsonObject, member } from '../../api/patch/json-value.ts';
import { applyMergePatch } from '../../api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../../api/patch/strategic-merge-patch.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import type { TypeSchema } from '../../api/schema/type-schema.ts';
import { badRequest, conflict, notFound } from '../../api/status-error.ts';
import type { Call } from './call.ts';
import { ignoredFields, schemaOfKind } from './managers.ts';
import { settleName } from './system-fields.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

/** A patch as it came. */
export interface Patch {
  readonly type: PatchKind;
  readonly bytes: Uint8Array;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Server-side apply takes fields over from other managers. */
  readonly force: boolean;
}

export interface PatchApplication {
  readonly kind: Kind;
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
  /** A mutable copy; undefined when the object does not exist (apply only). */
  readonly current: KubeObject | undefined;
  readonly patch: Patch;
  readonly call: Call;
  readonly nowMs: number;
  readonly subresource: string;
}

/** The object as the patch makes it. Throws StatusError: 400, 409, 415, 422 as upstream (apiserver: pkg/endpoints/handlers/patch.go). */
export function applyPatch(application: PatchApplication): KubeObject {
  const { kind, key, current, patch, call } = application;
  if (patch.type === 'apply') return serverSideApply(application);
  if (!current) throw notFound(kind, key.name);
  const value = patchedValue(kind, current, patch);
  const { object, warnings } = decodeValue(value, { kind, fieldValidation: patch.fieldValidation });
  if (patch.fieldValidation === 'Warn') for (const warning of warnings) call.warn(warning);
  return object;
}

function serverSideApply({ kind, key, current, patch, call, nowMs, subresource }: PatchApplication): KubeObject {
  const schema = schemaOfKind(kind);
  if (!schema) throw badRequest(`${kind.kind} has no schema: it cannot be applied by the server`);
  const applied = decodeApplied(kind, patch, { call, schema });
  if (applied.metadata.namespace === undefined && key.namespace) applied.metadata.namespace = key.namespace;
  settleName(applied, key.name);
  if (!current && applied.metadata.uid) throw conflict(kind, key.name, uidMismatch(key, applied.metadata.uid));
  const ignored = ignoredFields(kind, subresource);
  const { force } = patch;
  return applyServerSide({ live: current, applied, schema, manager: call.fieldManager, force, subresource, ignored, nowMs });
}

/** What the client sent, without the fields a typed object always has: it owns only what it named. */
function decodeApplied(kind: Kind, patch: Patch, { call, schema }: { call: Call; schema: TypeSchema }): KubeObject {
  const { bytes, fieldValidation } = patch;
  const { object, warnings } = decodeBody({ bytes, contentType: 'application/yaml', kind, fieldValidation });
  if (fieldValidation === 'Warn') for (const warning of warnings) call.warn(warning);
  const sent = parseYamlBody(bytes).value as JsonObject;
  return { ...(onlySent(object, sent, schema) as KubeObject), kind: object.kind, apiVersion: object.apiVersion };
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

function patchedValue(kind: Kind, current: KubeObject, patch: Patch): unknown {
  const body = parsePatch(patch.bytes);
  switch (patch.type) {
    case 'json':
      return applyJsonPatch(current, body);
    case 'merge':
      return applyMergePatch(current, body);
    default:
      return applyStrategicMergePatch(current, body, schemaOf(kind.type));
  }
}

function parsePatch(bytes: Uint8Array): unknown {
  try {
    return parseJsonBody(bytes).value;
  } catch (error) {
    if (error instanceof BodyError) throw badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
}
