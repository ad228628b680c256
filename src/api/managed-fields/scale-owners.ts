import type { ManagedFieldsEntry } from '../generated/types.ts';
import { difference, type FieldSet, isEmpty, noFields, pathSet, union } from './field-set.ts';
import { decodeManaged, encodeManaged, identityOf, type Managed, nobody, type Ownership } from './managed.ts';

/** Where a Scale and the workloads we know keep the number of replicas. */
const replicas = pathSet(['f:spec', 'f:replicas']);
const scaleVersion = 'autoscaling/v1';

/** Who owns the number of replicas, in the terms of `/scale` (apimachinery: pkg/util/managedfields/scalehandler.go). */
export function scaleOwners(entries: readonly ManagedFieldsEntry[] | undefined): ManagedFieldsEntry[] | undefined {
  const shown = new Map<string, Ownership>();
  for (const { manager, time, fields } of (decodeManaged(entries) ?? nobody).values()) {
    if (!ownsReplicas(fields)) continue;
    const owner = { ...manager, apiVersion: scaleVersion };
    shown.set(identityOf(owner), { manager: owner, time, fields: replicas });
  }
  return encodeManaged(shown);
}

/**
 * The owners of the workload after a write through `/scale`: who lost the number of replicas there loses it here, and who took it gets an entry
 * in the workload's version; as upstream, a new one has no time.
 */
export function withScaleOwners(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  apiVersion: string,
): ManagedFieldsEntry[] | undefined {
  const left = new Map(decodeManaged(scaleEntries) ?? nobody);
  const result = new Map<string, Ownership>();
  const put = (ownership: Ownership): void => {
    const identity = identityOf(ownership.manager);
    const fields = union(result.get(identity)?.fields ?? noFields, ownership.fields);
    if (!isEmpty(fields)) result.set(identity, { ...ownership, fields });
  };
  for (const ownership of (decodeManaged(entries) ?? nobody).values()) {
    const { manager, fields } = ownership;
    const keeps = left.delete(identityOf({ ...manager, apiVersion: scaleVersion }));
    put(keeps || !ownsReplicas(fields) ? ownership : { ...ownership, fields: difference(fields, replicas) });
  }
  for (const { manager, fields } of (left as Managed).values()) {
    const owner = { ...manager, apiVersion };
    if (ownsReplicas(fields)) put({ manager: owner, time: result.get(identityOf(owner))?.time, fields: replicas });
  }
  return encodeManaged(result);
}

function ownsReplicas(fields: FieldSet): boolean {
  return fields.children.get('f:spec')?.children.get('f:replicas')?.member === true;
}
