import { decodeValue } from '../../api/codec/decode-body.ts';
import { BodyError, parseJsonBody } from '../../api/codec/parse-body.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { applyJsonPatch } from '../../api/patch/json-patch.ts';
import { applyMergePatch } from '../../api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../../api/patch/strategic-merge-patch.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import { badRequest, notFound } from '../../api/status-error.ts';
import { applyConfiguration } from './apply.ts';
import type { Call } from './call.ts';
import type { KindTable } from './kind-table.ts';

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
  readonly kinds: KindTable;
  readonly kind: Kind;
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
  /** A mutable copy; undefined when the object does not exist (apply only). */
  readonly current: KubeObject | undefined;
  readonly patch: Patch;
  readonly call: Call;
  readonly nowMs: number;
  readonly subresource: string;
  /** The only fields a write through the sub-resource changes. */
  readonly only?: readonly string[] | undefined;
}

/** The object as the patch makes it. Throws StatusError: 400, 409, 415, 422 as upstream (apiserver: pkg/endpoints/handlers/patch.go). */
export function applyPatch(application: PatchApplication): KubeObject {
  const { kind, key, current, patch, call } = application;
  if (patch.type === 'apply') return applyConfiguration(application);
  if (!current) throw notFound(kind, key.name);
  const value = patchedValue(kind, current, patch);
  const { object, warnings } = decodeValue(value, { kind, fieldValidation: patch.fieldValidation });
  if (patch.fieldValidation === 'Warn') for (const warning of warnings) call.warn(warning);
  return object;
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
