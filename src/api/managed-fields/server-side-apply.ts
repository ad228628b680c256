import { TypeMismatch, toTyped } from '../codec/typed.ts';
import type { KubeObject } from '../meta.ts';
import { cloneJson, equalJson } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { badRequest, StatusError } from '../status-error.ts';
import { timestamp } from '../timestamp.ts';
import { applyConflict, conflictsWith, exceptFor } from './apply-conflict.ts';
import { compare } from './compare.ts';
import { difference, type FieldSet, intersection, isEmpty, noFields, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { takeoverFromClientSideApply, updateLastApplied } from './last-applied.ts';
import {
  allFields,
  decodeManaged,
  encodeManaged,
  identityOf,
  type Managed,
  type Manager,
  mapFields,
  nobody,
  withOwnership,
} from './managed.ts';
import { mergeValues } from './merge-values.ts';
import { ownable, withoutIgnored, withoutManagedFields } from './owned-object.ts';
import { UnkeyedItem } from './path-element.ts';
import { removeFields, withNamedFields } from './remove-fields.ts';
import { track } from './track-update.ts';

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
  /** Top-level fields that a write through this resource does not change: `['status']` for the main resource of kinds with /status. */
  readonly ignored?: readonly string[];
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
  const { applied, live, manager: name } = apply;
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  try {
    const before = ownersBefore(apply);
    const { object, managed } = merge(apply, before);
    updateLastApplied(name, object, applied);
    const entries = encodeManaged(managed);
    if (entries) object.metadata.managedFields = entries;
    return object;
  } catch (error) {
    if (!(error instanceof UnkeyedItem)) throw error;
    const { namespace = '', name: objectName } = (live ?? applied).metadata;
    const what = `${namespace}/${objectName}; ${applied.apiVersion}, Kind=${applied.kind}`;
    const message = `failed to create typed patch object (${what}): ${error.message}`;
    throw new StatusError({ code: 500, reason: '', message, cause: error });
  }
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
  const { applied, schema, ignored = [] } = apply;
  const live = apply.live ? withoutManagedFields(apply.live) : {};
  const self: Manager = {
    name: apply.manager,
    operation: 'Apply',
    apiVersion: applied.apiVersion,
    subresource: apply.subresource,
  };
  const identity = identityOf(self);
  const last = before.get(identity);
  const claimed = withoutIgnored(fieldsOf(applied, schema), ignored);
  const owners = withOwnership(before, { manager: self, time: last?.time, fields: claimed });
  const merged = mergeValues(live, applied, schema);
  const pruned = last ? prune(merged, { last: last.fields, owned: allFields(owners), schema }) : merged;
  const effect = effectOf(live, pruned, schema);
  const changed = withoutIgnored(effect.changed, ignored);
  const removed = withoutIgnored(effect.removed, ignored);
  checkConflicts(apply, owners, identity, changed);
  const others = mapFields(owners, (fields, owner) =>
    owner === identity ? ownable(fields) : difference(difference(fields, changed), removed),
  );
  const mine = others.get(identity);
  const managed = mine && effect.isChange ? withOwnership(others, { ...mine, time: timestamp(apply.nowMs) }) : others;
  return { object: cloneJson(effect.next) as KubeObject, managed };
}

interface Effect {
  /** The object in canonical form. */
  readonly next: unknown;
  readonly isChange: boolean;
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** What an apply does to the object. A field counts as far as the canonical forms differ in it as well; the order of items is a change too. */
function effectOf(live: unknown, result: unknown, schema: TypeSchema): Effect {
  if (equalJson(live, result)) return { next: live, isChange: false, changed: noFields, removed: noFields };
  const { modified, added, removed } = compare(live, result, schema);
  const [before, next] = [canonical(live, schema), canonical(result, schema)];
  const stored = compare(before, next, schema);
  const differing = [stored.modified, stored.added, stored.removed].reduce(union);
  return { next, isChange: !equalJson(before, next), changed: intersection(union(modified, added), differing), removed };
}

/**
 * The form in which objects are stored: so `0.5` is no change of `500m`, nor is an empty list one of none. A value that does not fit its schema
 * stays as it is; validation will say so.
 */
function canonical(value: unknown, schema: TypeSchema): unknown {
  try {
    return toTyped(value, schema).value;
  } catch (error) {
    if (error instanceof TypeMismatch) return value;
    throw error;
  }
}

function checkConflicts(apply: ServerSideApply, owners: Managed, self: string, changed: FieldSet): void {
  if (apply.force) return;
  const conflicts = conflictsWith(owners, self, changed);
  if (conflicts.length === 0) return;
  const left = apply.live
    ? exceptFor(conflicts, takeoverFromClientSideApply(apply.manager, apply.live, apply.schema))
    : conflicts;
  if (left.length > 0) throw applyConflict(left);
}

/**
 * Removes what the manager applied last time, except what anybody owns now (`owned`, this manager's new claim included) and what was never
 * this manager's but hangs below.
 */
function prune(merged: unknown, options: { last: FieldSet; owned: FieldSet; schema: TypeSchema }): unknown {
  const { schema } = options;
  if (isEmpty(difference(options.last, options.owned))) return merged;
  const named = (fields: FieldSet): FieldSet => withNamedFields(fields, schema);
  const last = named(options.last);
  const all = named(fieldsOf(merged, schema));
  const without = removeFields(merged, last, schema);
  const kept = union(named(fieldsOf(without, schema)), named(options.owned));
  const withOwned = removeFields(merged, difference(all, kept), schema);
  const gone = difference(all, named(fieldsOf(withOwned, schema)));
  const toRemove = intersection(gone, last);
  return isEmpty(toRemove) ? merged : removeFields(merged, toRemove, schema);
}
