import type { ObjectMeta } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta.ts';
import { decodeStored, deepFreeze } from './stored-form.ts';

const storedValue = Symbol('the bytes the object was decoded from');

interface BackedMeta extends ObjectMeta {
  [storedValue]: Uint8Array;
}

/**
 * Takes `metadata.managedFields` out of an object that is going to be shared, and has it read from the stored bytes when somebody asks. It is more
 * than half of the heap a small object takes, and those that keep objects (informers, the scheduler) never look at it.
 */
export function leaveOwnersInBytes(object: KubeObject, value: Uint8Array): void {
  const { managedFields, ...metadata } = object.metadata;
  if (!managedFields) return;
  Object.defineProperty(deepFreezeMembers(metadata), storedValue, { value });
  Object.defineProperty(metadata, 'managedFields', { get: readOwners, enumerable: true });
  object.metadata = Object.freeze(metadata);
}

function readOwners(this: BackedMeta): ObjectMeta['managedFields'] {
  return deepFreeze(decodeStored(this[storedValue], 0).metadata.managedFields);
}

/** What is in it is frozen, itself it takes further properties. */
function deepFreezeMembers<T extends object>(value: T): T {
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
