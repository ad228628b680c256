import type { BodyKind } from '../../api/codec/decode-body.ts';
import type { Kind } from '../../api/kind.ts';
import type { FieldFilter } from '../../api/managed-fields/field-filter.ts';
import { UnkeyedItem } from '../../api/managed-fields/path-element.ts';
import { trackUpdate } from '../../api/managed-fields/track-update.ts';
import type { ShowIn } from '../../api/managed-fields/versioned-changes.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';
import type { JsonObject } from '../../api/patch/json-value.ts';
import { hasSchema, schemaOf } from '../../api/schema/schema.ts';
import type { TypeSchema } from '../../api/schema/type-schema.ts';
import type { KindTable } from './kind-table.ts';

/** A write as managedFields records it: which fields `next` changed against `previous`, and by whom. */
export interface TrackedWrite {
  readonly kind: Kind;
  readonly previous: KubeObject | undefined;
  readonly next: KubeObject;
  readonly manager: string;
  readonly subresource?: string;
  /** The only fields a write through the sub-resource changes. */
  readonly only?: readonly string[] | undefined;
  readonly nowMs: number;
}

/**
 * Records in `next.metadata.managedFields` who wrote what. It is called with defaults filled in, and before admission plugins and the server
 * itself add theirs: what they add belongs to nobody (apiserver: pkg/endpoints/handlers/create.go, update.go, patch.go).
 */
export function trackManagers(kinds: KindTable, write: TrackedWrite): void {
  const { kind, previous, next, manager, nowMs, subresource = '' } = write;
  const schema = schemaOfKind(kind);
  if (!schema) return;
  const filter = ownableFields(kind, subresource, write.only);
  try {
    trackUpdate({ live: previous, next, schema, manager, subresource, filter, showIn: versionsOf(kinds, kind), nowMs });
  } catch (error) {
    // A list whose items cannot be told apart: the write is good, only nobody knows whose it is.
    if (!(error instanceof UnkeyedItem)) throw error;
  }
}

/** The schema of built-in kinds by name; kinds made at run time carry their own, if any. */
export function schemaOfKind(kind: Kind): TypeSchema | undefined {
  const own = (kind as BodyKind).schema;
  if (own) return own;
  return kind.type && hasSchema(kind.type) ? schemaOf(kind.type) : undefined;
}

/** What a write through a sub-resource (`''`: the main resource) can come to own. */
export function ownableFields(kind: Kind, subresource: string, only?: readonly string[]): FieldFilter {
  return { except: kind.resetFields[subresource] ?? [], ...(only ? { only } : {}) };
}

/** Shows objects of a kind in the other versions it is served in. */
export function versionsOf(kinds: KindTable, kind: Kind): ShowIn {
  return (object, apiVersion) => {
    const versions = kinds.all.filter((other) => other.storageResource === kind.storageResource);
    const inVersion = (wanted: string): Kind | undefined => versions.find((other) => apiVersionOf(other) === wanted);
    const [from, to] = [inVersion(object.apiVersion), inVersion(apiVersion)];
    const schema = to && schemaOfKind(to);
    if (!from || !to || !schema) return undefined;
    const stored = from === to || !from.toStorage ? object : from.toStorage(object);
    const shown = from === to || !to.fromStorage ? stored : to.fromStorage(stored);
    return { object: shown as unknown as JsonObject, schema };
  };
}
