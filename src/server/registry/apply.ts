import { decodeValue } from '../../api/codec/decode-body.ts';
import { BodyError, type ParsedBody, parseYamlBody } from '../../api/codec/parse-body.ts';
import { warningsOf } from '../../api/codec/yaml.ts';
import type { Kind } from '../../api/kind.ts';
import { checkApplied } from '../../api/managed-fields/check-applied.ts';
import { applyServerSide, untypedApply } from '../../api/managed-fields/server-side-apply.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';
import { goText, isJsonObject, type JsonObject, member } from '../../api/patch/json-value.ts';
import type { TypeSchema } from '../../api/schema/type-schema.ts';
import { badRequest, conflict, StatusError } from '../../api/status-error.ts';
import { ownableFields, schemaOfKind, versionsOf } from './managers.ts';
import type { PatchApplication } from './patch-application.ts';

/** Server-side apply of what a client sent (apiserver: pkg/endpoints/handlers/patch.go applyPatcher). */
export function applyConfiguration(application: PatchApplication): KubeObject | Promise<KubeObject> {
  const { kind, patch, call } = application;
  const schema = schemaOfKind(kind);
  if (!schema) throw badRequest(`${kind.kind} has no schema: it cannot be applied by the server`);
  const body = parseApplied(patch.bytes);
  const config = { body, schema, ...readApplied(kind, body, schema) };
  const pause = call.pauses?.();
  return pause ? pause().then(() => applyRead(application, config)) : applyRead(application, config);
}

function applyRead(application: PatchApplication, config: Applied & { body: ParsedBody; schema: TypeSchema }): KubeObject {
  const { kinds, kind, key, current, patch, call, nowMs, subresource } = application;
  const { applied, misfit, body, schema } = config;
  const sentNamespace = applied.metadata.namespace ?? '';
  if (applied.metadata.namespace === undefined && key.namespace) applied.metadata.namespace = key.namespace;
  if (!current && applied.metadata.uid) throw conflict(kind, key.name, uidMismatch(applied.metadata.uid));
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
  if (misfit !== undefined) throw notConvertible(applied, sentNamespace, misfit);
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

interface Applied {
  /** As it was sent: its manager owns only what it names, and a value it writes in another way than it is stored is another value. */
  readonly applied: KubeObject;
  /** Why it is no object of its kind, as far as its schema does not say so; told when nothing else is wrong. */
  readonly misfit: string | undefined;
}

function readApplied(kind: Kind, { value }: ParsedBody, schema: TypeSchema): Applied {
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
  const { kind: sentKind, apiVersion, metadata, ...rest } = sent;
  return {
    applied: { kind: sentKind, apiVersion, metadata: metadata ?? {}, ...rest } as unknown as KubeObject,
    misfit: misfitOf(kind, sent),
  };
}

function misfitOf(kind: Kind, sent: JsonObject): string | undefined {
  let misfit: string | undefined;
  const refuse = (why: string): StatusError => badRequest((misfit = why));
  try {
    decodeValue(sent, { kind, fieldValidation: 'Ignore', refuse });
  } catch (error) {
    if (misfit === undefined) throw error;
  }
  return misfit;
}

/** What was applied fits the schema, but not the type; upstream has no better code for it. */
function notConvertible(applied: KubeObject, namespace: string, misfit: string): StatusError {
  const { name = '' } = applied.metadata;
  const why = misfit.startsWith('illegal base64') ? `error decoding from json: ${misfit}` : misfit;
  const type = groupVersionKindText(applied as unknown as JsonObject);
  const message = `failed to convert new object (${namespace}/${name}; ${type}) to proper version: unable to convert unstructured object to ${type}: ${why}`;
  return new StatusError({ code: 500, reason: '', message });
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

function uidMismatch(uid: string): string {
  return `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
}
