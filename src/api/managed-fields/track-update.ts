import type { KubeObject } from '../meta.ts';
import { equalJson } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { timestamp } from '../timestamp.ts';
import { compare } from './compare.ts';
import { type FieldFilter, filterFields } from './field-filter.ts';
import { isEmpty, union } from './field-set.ts';
import {
  capUpdaters,
  decodeManaged,
  encodeManaged,
  identityOf,
  isReset,
  type Managed,
  type Manager,
  mapFields,
  nobody,
  withOwnership,
} from './managed.ts';
import { emptyObject, ownable, withoutManagedFields } from './owned-object.ts';
import { type ShowIn, VersionedChanges } from './versioned-changes.ts';

/** The longest name of a manager, in characters. */
const maxManagerLength = 128;

export interface UpdateToTrack {
  /** The object as it was; undefined for a create. */
  readonly live: KubeObject | undefined;
  /** The object as it will be stored; its `metadata.managedFields` are what the client sent, and are replaced. */
  readonly next: KubeObject;
  readonly schema: TypeSchema;
  /** The field manager's name, see `managerName`. */
  readonly manager: string;
  /** `''` for the main resource. */
  readonly subresource: string;
  /** What a write through this resource can change; everything when absent. */
  readonly filter?: FieldFilter;
  /** For owners that wrote other API versions; without it these own nothing any more. */
  readonly showIn?: ShowIn;
  readonly nowMs: number;
}

/** The name under which a request's changes are recorded: what it says, or its User-Agent up to the first `/`. */
export function managerName(fieldManager: string | undefined, userAgent: string): string {
  if (fieldManager) return fieldManager;
  const product = userAgent.split('/', 1)[0] ?? '';
  return product.replaceAll(/\p{C}/gu, '').slice(0, maxManagerLength) || 'unknown';
}

/**
 * Sets `next.metadata.managedFields` after a write that is not a server-side apply: the manager owns the fields it changed, others no longer do
 * (apimachinery/pkg/util/managedfields). A write that changes nothing leaves everything as it was.
 */
export function trackUpdate(update: UpdateToTrack): void {
  const { live, next } = update;
  const { managedFields: sent, ...metadata } = next.metadata;
  const before = live?.metadata.managedFields;
  const isMain = update.subresource === '';
  const given = isMain && sent && sent.length > 0 ? decodeManaged(sent) : undefined;
  const known = isMain && isReset(sent) ? nobody : given?.size ? given : (decodeManaged(before) ?? nobody);
  const managed = mapFields(known, (fields) => fields);
  const result = known.size === 0 && live?.metadata.uid ? nobody : track(managed, update);
  // Untouched entries keep their very form.
  const isUntouched = result === managed && managed.size > 0 && (!given?.size || equalJson(sent, before));
  const entries = isUntouched ? before : encodeManaged(result);
  next.metadata = entries ? { ...metadata, managedFields: entries } : metadata;
}

/** Records the changes between two states; the same map when there are none. */
export function track(managed: Managed, update: UpdateToTrack): Managed {
  const { live, next, schema, filter = {} } = update;
  const [before, after] = [live ? withoutManagedFields(live) : emptyObject(schema), withoutManagedFields(next)];
  const comparison = compare(before, after, schema);
  const changed = filterFields(union(comparison.modified, comparison.added), filter);
  const removed = filterFields(comparison.removed, filter);
  if (isEmpty(changed) && isEmpty(removed)) return managed;
  const { apiVersion } = next;
  const own = { changed, removed };
  const others = new VersionedChanges({ before, after, apiVersion, own, filter, showIn: update.showIn }).takenFrom(managed);
  const mine = ownable(changed);
  if (isEmpty(mine)) return capUpdaters(others);
  const manager: Manager = {
    name: update.manager || 'unknown',
    operation: 'Update',
    apiVersion,
    subresource: update.subresource,
  };
  const previous = others.get(identityOf(manager));
  const fields = previous ? union(previous.fields, mine) : mine;
  return capUpdaters(withOwnership(others, { manager, time: timestamp(update.nowMs), fields }));
}
