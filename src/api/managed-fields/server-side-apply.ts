import { TypeMismatch, toTyped } from '../codec/typed.ts';
import type { KubeObject } from '../meta.ts';
import { cloneJson, equalJson, type JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { timestamp } from '../timestamp.ts';
import { applyConflict, conflictsWith, exceptFor } from './apply-conflict.ts';
import { compare } from './compare.ts';
import { type FieldFilter, filterFields } from './field-filter.ts';
import { equalFields, type FieldSet, noFields, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { takeoverFromClientSideApply, updateLastApplied } from './last-applied.ts';
import {
  decodeManaged,
  encodeManaged,
  identityOf,
  type Managed,
  type Manager,
  mapFields,
  nobody,
  type Ownership,
  withOwnership,
} from './managed.ts';
import { mergeValues } from './merge-values.ts';
import { ownable, withoutManagedFields } from './owned-object.ts';
import { UnkeyedItem } from './path-element.ts';
import { pruneDropped } from './prune-dropped.ts';
import { track } from './track-update.ts';
import { type ShowIn, VersionedChanges } from './versioned-changes.ts';

/** Owns what an object had before somebody applied to it for the first time. */
const beforeFirstApply = 'before-first-apply';

export interface ServerSideApply {
  /** The object as it is; undefined when the apply creates it. */
  readonly live: KubeObject | undefined;
  /** What the client sent, without defaults. */
  readonly applied: KubeObject;
  readonly schema: TypeSchema;
  readonly manager: string;
  /** Take fields over from others instead of a conflict. */
  readonly force: boolean;
  /** `''` for the main resource. */
  readonly subresource: string;
  /** What a write through this resource can change; everything when absent. */
  readonly filter?: FieldFilter;
  /** For owners that wrote other API versions; without it these own nothing any more. */
  readonly showIn?: ShowIn;
  readonly nowMs: number;
}

/**
 * Server-side apply (sigs.k8s.io/structured-merge-diff merge/update.go): lays what is applied over the live object, removes what this manager
 * applied last time and nobody wants any more, and says who owns what. The result has its managedFields, is in canonical form, lacks defaults,
 * and belongs to the caller. Applying the same again gives an object equal to the live one.
 * Throws StatusError: 409 for fields of other managers (unless `force`), 400 for applied managedFields, 500 for lists whose items cannot be
 * told apart.
 */
export function applyServerSide(apply: ServerSideApply): KubeObject {
  const { applied, manager: name } = apply;
  if ((applied.metadata.managedFields ?? undefined) !== undefined) throw badRequest('metadata.managedFields must be nil');
  try {
    const before = ownersBefore(apply);
    const { object, managed } = merge(apply, before);
    updateLastApplied(name, object, applied);
    const entries = encodeManaged(managed);
    if (entries) object.metadata.managedFields = entries;
    return object;
  } catch (error) {
    if (!(error instanceof UnkeyedItem)) throw error;
    throw untypedApply(applied, error.message, error);
  }
}

/** An apply that does not fit its schema; upstream has no better code for it. */
export function untypedApply(applied: KubeObject, why: string, cause?: unknown): StatusError {
  const { namespace = '', name = '' } = applied.metadata ?? {};
  const groupVersion = applied.apiVersion.includes('/') ? applied.apiVersion : `/${applied.apiVersion}`;
  const what = `${namespace}/${name}; ${groupVersion}, Kind=${applied.kind}`;
  return new StatusError({ code: 500, reason: '', message: `failed to create typed patch object (${what}): ${why}`, cause });
}

/** The owners of the live object. What nobody owns yet belongs to a manager of its own, or the first apply could take all of it. */
function ownersBefore(apply: ServerSideApply): Managed {
  const { live } = apply;
  if (!live) return nobody;
  const managed = decodeManaged(live.metadata.managedFields) ?? nobody;
  if (managed.size > 0) return managed;
  return track(nobody, { ...apply, live: undefined, next: live, manager: beforeFirstApply });
}

function merge(apply: ServerSideApply, before: Managed): { object: KubeObject; managed: Managed } {
  const { applied, schema, filter = {}, showIn } = apply;
  const { apiVersion } = applied;
  const live = apply.live ? withoutManagedFields(apply.live) : {};
  const self: Manager = { name: apply.manager, operation: 'Apply', apiVersion, subresource: apply.subresource };
  const identity = identityOf(self);
  const last = before.get(identity);
  const claimed = filterFields(fieldsOf(applied, schema), filter);
  const owners = withOwnership(before, { manager: self, time: last?.time, fields: claimed });
  const merged = mergeValues(live, applied, schema);
  const pruned = last ? pruneDropped(merged, { last, owners, apiVersion, schema, showIn }) : merged;
  const effect = effectOf(live, pruned, schema);
  const own = { changed: filterFields(effect.changed, filter), removed: filterFields(effect.removed, filter) };
  const after = effect.next as JsonObject;
  const changes = new VersionedChanges({ before: live, after, apiVersion, own, filter, showIn });
  checkConflicts(apply, owners, identity, changes);
  const others = mapFields(changes.takenFrom(owners, identity), (fields, owner) =>
    owner === identity ? ownable(fields) : fields,
  );
  const mine = others.get(identity);
  const applies = mine && !equalJson(live, pruned) ? withOwnership(others, { ...mine, time: timestamp(apply.nowMs) }) : others;
  const isChange = !equalJson(live, effect.next) || !haveSameFields(applies, before);
  return { object: cloneJson(effect.next) as KubeObject, managed: isChange ? applies : before };
}

/** True when only times differ: a write that changes nothing else leaves these as they were, too. */
function haveSameFields(managed: Managed, before: Managed): boolean {
  const known = (identity: string, { manager, fields }: Ownership): boolean => {
    const other = before.get(identity);
    return other !== undefined && other.manager.apiVersion === manager.apiVersion && equalFields(fields, other.fields);
  };
  return managed.size === before.size && [...managed].every(([identity, ownership]) => known(identity, ownership));
}

interface Effect {
  /** The object in canonical form. */
  readonly next: unknown;
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** What an apply does to the object. Values count as they were applied: `0.5` is a change of `500m`, and an empty list one of none. */
function effectOf(live: unknown, result: unknown, schema: TypeSchema): Effect {
  if (equalJson(live, result)) return { next: live, changed: noFields, removed: noFields };
  const { modified, added, removed } = compare(live, result, schema);
  return { next: canonical(result, schema), changed: union(modified, added), removed };
}

/** The form in which objects are stored. A value that does not fit its schema stays as it is; validation will say so. */
function canonical(value: unknown, schema: TypeSchema): unknown {
  try {
    return toTyped(value, schema).value;
  } catch (error) {
    if (error instanceof TypeMismatch) return value;
    throw error;
  }
}

function checkConflicts(apply: ServerSideApply, owners: Managed, self: string, changes: VersionedChanges): void {
  if (apply.force) return;
  const conflicts = conflictsWith(owners, self, changes);
  if (conflicts.length === 0) return;
  const left = apply.live
    ? exceptFor(conflicts, takeoverFromClientSideApply(apply.manager, apply.live, apply.schema))
    : conflicts;
  if (left.length > 0) throw applyConflict(left);
}
