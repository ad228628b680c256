import type { OwnerReference } from '../api/generated/types.ts';
import type { Kind } from '../api/kind.ts';
import { apiVersionOf, type KubeObject } from '../api/meta.ts';

/** The reference to the one controlling owner, if there is one. */
export function controllerOf(object: { metadata: { ownerReferences?: readonly OwnerReference[] } }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((ref) => ref.controller);
}

/** The owner reference with which a controller marks what it creates for `owner`. */
export function controllerReference(kind: Kind, owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** True when `owner` controls `object`. */
export function isControlledBy(object: { metadata: { ownerReferences?: OwnerReference[] } }, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}
