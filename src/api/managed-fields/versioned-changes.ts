import type { KubeObject } from '../meta.ts';
import type { JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { compare } from './compare.ts';
import { type FieldFilter, filterFields } from './field-filter.ts';
import { difference, type FieldSet, noFields, union } from './field-set.ts';
import { type Managed, mapFields } from './managed.ts';

/** An object in one of the API versions it is served in. */
export interface VersionedObject {
  readonly object: JsonObject;
  readonly schema: TypeSchema;
}

/** Shows an object in another of its API versions; undefined when nobody serves it in that version (any more). */
export type ShowIn = (object: KubeObject, apiVersion: string) => VersionedObject | undefined;

export interface FieldChanges {
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** What a write changes, as the owners see it: each owns fields of the version it wrote. */
export class VersionedChanges {
  readonly #before: JsonObject;
  readonly #after: JsonObject;
  readonly #filter: FieldFilter;
  readonly #showIn: ShowIn | undefined;
  readonly #known = new Map<string, FieldChanges | undefined>();

  /** `own` are the changes in the version of the write. `before` is empty for a create. */
  constructor(options: {
    before: JsonObject;
    after: JsonObject;
    apiVersion: string;
    own: FieldChanges;
    filter: FieldFilter;
    showIn?: ShowIn | undefined;
  }) {
    this.#before = options.before;
    this.#after = options.after;
    this.#filter = options.filter;
    this.#showIn = options.showIn;
    this.#known.set(options.apiVersion, options.own);
  }

  /** Undefined for versions nobody serves. */
  in(apiVersion: string): FieldChanges | undefined {
    if (!this.#known.has(apiVersion)) this.#known.set(apiVersion, this.#compared(apiVersion));
    return this.#known.get(apiVersion);
  }

  /** The owners after the write, but for the one who writes: nobody keeps what changed or went away, nor fields of versions that are gone. */
  takenFrom(managed: Managed, writer?: string): Managed {
    return mapFields(managed, (fields, identity, { apiVersion }) => {
      if (identity === writer) return fields;
      const changes = this.in(apiVersion);
      return changes ? difference(difference(fields, changes.changed), changes.removed) : noFields;
    });
  }

  #compared(apiVersion: string): FieldChanges | undefined {
    const after = this.#shown(this.#after, apiVersion);
    const before = this.#shown(this.#before, apiVersion);
    if (!before || !after) return undefined;
    const { modified, added, removed } = compare(before.object, after.object, after.schema);
    return { changed: filterFields(union(modified, added), this.#filter), removed: filterFields(removed, this.#filter) };
  }

  #shown(object: JsonObject, apiVersion: string): VersionedObject | undefined {
    if (!this.#showIn || object['metadata'] === undefined) return undefined;
    return this.#showIn(object as unknown as KubeObject, apiVersion);
  }
}
