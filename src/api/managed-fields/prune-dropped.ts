import type { KubeObject } from '../meta.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { difference, type FieldSet, intersection, isEmpty, noFields, union } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import type { Managed, Ownership } from './managed.ts';
import { removeFields, withNamedFields } from './remove-fields.ts';
import type { ShowIn } from './versioned-changes.ts';

export interface DroppedFields {
  /** What the manager applied last time. */
  readonly last: Ownership;
  /** Everybody now, this manager's new claim included. */
  readonly owners: Managed;
  /** The version that is applied, and its schema. */
  readonly apiVersion: string;
  readonly schema: TypeSchema;
  readonly showIn?: ShowIn | undefined;
}

/**
 * Removes from the merged object what the manager applied last time, except what anybody owns now and what was never this manager's but hangs
 * below. Owners of other API versions keep theirs as it is called in the version they wrote.
 */
export function pruneDropped(merged: unknown, dropped: DroppedFields): unknown {
  const { last, owners, apiVersion } = dropped;
  const owned = ownedByVersion(owners);
  const lastVersion = last.manager.apiVersion;
  if (lastVersion === apiVersion && isEmpty(difference(last.fields, owned.get(apiVersion) ?? noFields))) return merged;
  const at = shownIn(merged, lastVersion, dropped);
  // Nobody serves what was applied last: there is nothing to compare with.
  if (!at) return merged;
  const named = (fields: FieldSet): FieldSet => withNamedFields(fields, at.schema);
  const all = named(fieldsOf(at.value, at.schema));
  const lastFields = named(last.fields);
  const without = { value: removeFields(at.value, lastFields, at.schema), schema: at.schema };
  const versions = [...owned.keys()].sort((a, b) => Number(b === lastVersion) - Number(a === lastVersion));
  const kept = versions.reduce(
    (left, version) => addBack(left, { merged, version, owned: owned.get(version)!, lastVersion, dropped }),
    without,
  );
  const gone = difference(all, named(fieldsOf(kept.value, at.schema)));
  const toRemove = intersection(gone, lastFields);
  if (isEmpty(toRemove)) return merged;
  const pruned = removeFields(at.value, toRemove, at.schema);
  if (lastVersion === apiVersion) return pruned;
  return dropped.showIn?.(pruned as KubeObject, apiVersion)?.object ?? merged;
}

interface Shown {
  readonly value: unknown;
  readonly schema: TypeSchema;
}

/** What was pruned too much: fields that owners of one version have. Given and returned in `lastVersion`. */
function addBack(
  pruned: Shown,
  options: { merged: unknown; version: string; owned: FieldSet; lastVersion: string; dropped: DroppedFields },
): Shown {
  const { merged, version, owned, lastVersion, dropped } = options;
  const all = shownIn(merged, version, dropped);
  const left = version === lastVersion ? pruned : convert(pruned.value, version, dropped);
  if (!all || !left) return pruned;
  const named = (fields: FieldSet): FieldSet => withNamedFields(fields, all.schema);
  const kept = union(named(fieldsOf(left.value, all.schema)), named(owned));
  const value = removeFields(all.value, difference(named(fieldsOf(all.value, all.schema)), kept), all.schema);
  return version === lastVersion ? { value, schema: all.schema } : (convert(value, lastVersion, dropped) ?? pruned);
}

function ownedByVersion(owners: Managed): Map<string, FieldSet> {
  const owned = new Map<string, FieldSet>();
  for (const { manager, fields } of owners.values()) {
    owned.set(manager.apiVersion, union(owned.get(manager.apiVersion) ?? noFields, fields));
  }
  return owned;
}

function shownIn(merged: unknown, version: string, dropped: DroppedFields): Shown | undefined {
  return version === dropped.apiVersion ? { value: merged, schema: dropped.schema } : convert(merged, version, dropped);
}

function convert(value: unknown, version: string, { showIn }: DroppedFields): Shown | undefined {
  const shown = showIn?.(value as KubeObject, version);
  return shown && { value: shown.object, schema: shown.schema };
}
