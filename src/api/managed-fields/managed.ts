import type { ManagedFieldsEntry } from '../generated/types.ts';
import { equalJson, isJsonObject } from '../patch/json-value.ts';
import { type FieldSet, fromFieldsV1, isEmpty, toFieldsV1, union } from './field-set.ts';

/** Update entries of one object beyond which the oldest are merged (upstream's limit, managedfields/internal/fieldmanager.go). */
const maxUpdateManagers = 10;
/** The manager of merged entries. */
const mergedManager = 'ancient-changes';

export type Operation = 'Apply' | 'Update';

/** Who owns fields. An applier is the same whatever version it applies; an updater is one per version. */
export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
}

/** One manager and what it owns. */
export interface Ownership {
  readonly manager: Manager;
  /** RFC 3339, whole seconds; undefined when it never changed anything itself. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** The managers of one object, by their identity. */
export type Managed = ReadonlyMap<string, Ownership>;

export const nobody: Managed = new Map();

export function identityOf(manager: Manager): string {
  const { name, operation, apiVersion, subresource } = manager;
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Reads `metadata.managedFields`. Undefined when an entry is not valid. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed | undefined {
  const managed = new Map<string, Ownership>();
  for (const entry of entries ?? []) {
    const { operation, apiVersion, fieldsType } = entry;
    if ((operation !== 'Apply' && operation !== 'Update') || !apiVersion || fieldsType !== 'FieldsV1') return undefined;
    if (!isJsonObject(entry.fieldsV1 ?? {})) return undefined;
    const manager = { name: entry.manager ?? '', operation, apiVersion, subresource: entry.subresource ?? '' } as const;
    managed.set(identityOf(manager), { manager, time: entry.time, fields: fromFieldsV1(entry.fieldsV1) });
  }
  return managed;
}

/** `metadata.managedFields` in upstream's order; undefined when nobody owns anything. */
export function encodeManaged(managed: Managed): ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined;
  return [...managed.values()].sort(byOperationTimeName).map(({ manager, time, fields }) => ({
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(manager.subresource ? { subresource: manager.subresource } : {}),
  }));
}

/** True for what a client sends to have managedFields cleared: an empty list, or one empty entry. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries !== undefined && (entries.length === 0 || (entries.length === 1 && equalJson(entries[0], {})));
}

/** The same with one owner's fields replaced; owners of nothing disappear. */
export function withOwnership(managed: Managed, ownership: Ownership): Managed {
  const result = new Map(managed);
  const identity = identityOf(ownership.manager);
  if (isEmpty(ownership.fields)) result.delete(identity);
  else result.set(identity, ownership);
  return result;
}

/** Changes what everybody owns; owners of nothing disappear. */
export function mapFields(managed: Managed, change: (fields: FieldSet, identity: string, manager: Manager) => FieldSet): Managed {
  const result = new Map<string, Ownership>();
  for (const [identity, ownership] of managed) {
    const fields = change(ownership.fields, identity, ownership.manager);
    if (!isEmpty(fields)) result.set(identity, fields === ownership.fields ? ownership : { ...ownership, fields });
  }
  return result;
}

/** Merges the oldest updaters of each version into one, so that an object with many writers does not drown in their names. */
export function capUpdaters(managed: Managed): Managed {
  if (managed.size <= maxUpdateManagers) return managed;
  const updaters = [...managed].filter(([, { manager }]) => manager.operation === 'Update');
  let left = updaters.length;
  if (left <= maxUpdateManagers) return managed;
  const result = new Map(managed);
  const firstOf = new Map<string, string>();
  const mergedFields = new Map<string, FieldSet[]>();
  for (const [identity, ownership] of updaters.sort(byAge)) {
    if (left <= maxUpdateManagers) break;
    const { apiVersion } = ownership.manager;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, identity);
      continue;
    }
    const bucket: Manager = { name: mergedManager, operation: 'Update', apiVersion, subresource: '' };
    const merged = identityOf(bucket);
    const before = result.get(merged) ?? result.get(first);
    if (!result.has(merged)) result.delete(first);
    result.delete(identity);
    const parts = mergedFields.get(merged) ?? (before ? [before.fields] : []);
    mergedFields.set(merged, parts);
    parts.push(ownership.fields);
    result.set(merged, { ...ownership, manager: bucket });
    left--;
  }
  for (const [merged, parts] of mergedFields) result.set(merged, { ...result.get(merged)!, fields: unionOfAll(parts) });
  return result;
}

/** Two by two: one after the other, thousands of managers would each cost what all before them own. */
function unionOfAll(sets: readonly FieldSet[]): FieldSet {
  if (sets.length === 1) return sets[0]!;
  const middle = sets.length >> 1;
  return union(unionOfAll(sets.slice(0, middle)), unionOfAll(sets.slice(middle)));
}

function byAge([identityA, a]: readonly [string, Ownership], [identityB, b]: readonly [string, Ownership]): number {
  return seconds(a) - seconds(b) || (identityA < identityB ? -1 : 1);
}

function byOperationTimeName(a: Ownership, b: Ownership): number {
  const text = ({ manager }: Ownership): string => [manager.name, manager.apiVersion, manager.subresource].join('\0');
  if (a.manager.operation !== b.manager.operation) return a.manager.operation < b.manager.operation ? -1 : 1;
  return seconds(a) - seconds(b) || (text(a) < text(b) ? -1 : 1);
}

function seconds({ time }: Ownership): number {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? 0 : Math.floor(at / 1000);
}
