import type { BodyKind } from '../../api/codec/decode-body.ts';
import type { Kind } from '../../api/kind.ts';
import { trackUpdate } from '../../api/managed-fields/track-update.ts';
import type { KubeObject } from '../../api/meta.ts';
import { hasSchema, schemaOf } from '../../api/schema/schema.ts';
import type { TypeSchema } from '../../api/schema/type-schema.ts';

/** A write as managedFields records it: which fields `next` changed against `previous`, and by whom. */
export interface TrackedWrite {
  readonly kind: Kind;
  readonly previous: KubeObject | undefined;
  readonly next: KubeObject;
  readonly manager: string;
  readonly subresource?: string;
  readonly nowMs: number;
}

/** Records in `next.metadata.managedFields` who wrote what. */
export function trackManagers(write: TrackedWrite): void {
  const { kind, previous, next, manager, nowMs, subresource = '' } = write;
  const schema = schemaOfKind(kind);
  if (!schema) return;
  trackUpdate({ live: previous, next, schema, manager, subresource, ignored: ignoredFields(kind, subresource), nowMs });
}

/** The schema of built-in kinds by name; kinds made at run time carry their own, if any. */
export function schemaOfKind(kind: Kind): TypeSchema | undefined {
  const own = (kind as BodyKind).schema;
  if (own) return own;
  return kind.type && hasSchema(kind.type) ? schemaOf(kind.type) : undefined;
}

/** What a write cannot change is nobody's: status through the main resource, spec through `/status`. */
export function ignoredFields(kind: Kind, subresource: string): readonly string[] {
  if (subresource === 'status') return ['spec'];
  return subresource === '' && kind.subresources.some((s) => s.name === 'status') ? ['status'] : [];
}
