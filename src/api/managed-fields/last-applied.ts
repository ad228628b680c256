import type { KubeObject } from '../meta.ts';
import { isJsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { compare } from './compare.ts';
import { difference, type FieldSet, noFields } from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { withoutManagedFields } from './owned-object.ts';

/** Where client-side `kubectl apply` keeps what it applied. */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** The manager that may go on from there. */
const kubectl = 'kubectl';

/**
 * What `kubectl apply` applied from the client's side, and nobody changed since: `kubectl apply --server-side` takes it over without a conflict.
 */
export function takeoverFromClientSideApply(manager: string, live: KubeObject, schema: TypeSchema): FieldSet {
  const text = live.metadata.annotations?.[annotation];
  if (manager !== kubectl || !text) return noFields;
  try {
    const applied: unknown = JSON.parse(text);
    if (!isJsonObject(applied) || applied['apiVersion'] !== live.apiVersion) return noFields;
    const { removed, modified, added } = compare(applied, withoutManagedFields(live), schema);
    return [modified, added, removed].reduce(difference, fieldsOf(applied, schema));
  } catch {
    // Whatever somebody put there: then there is nothing to take over.
    return noFields;
  }
}

/** Keeps the annotation up to date for those who go back to client-side apply. */
export function updateLastApplied(manager: string, object: KubeObject, applied: KubeObject): void {
  if (manager !== kubectl || !object.metadata.annotations?.[annotation]) return;
  const { [annotation]: _, ...annotations } = applied.metadata.annotations ?? {};
  const hasAnnotations = applied.metadata.annotations !== undefined;
  const metadata = { ...applied.metadata, ...(hasAnnotations ? { annotations } : {}) };
  object.metadata.annotations = {
    ...object.metadata.annotations,
    [annotation]: `${JSON.stringify({ ...applied, metadata }, sortedFields)}\n`,
  };
}

function sortedFields(_name: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
