import type { KubeObject } from '../../api/meta.ts';

/**
 * Has an object that is going to be shared and frozen use the parts of a frozen one where they are equal: pods of one template, and an object before
 * and after a change of its status, differ in little. Informers keep what is decoded, so this is most of what they keep. The order of fields stays.
 * managedFields are left alone: those of a shared object are in its bytes (`leaveOwnersInBytes`).
 */
export function shareParts(object: KubeObject, like: KubeObject): void {
  if (object === like) return;
  shareMembers(object as unknown as Members, like as unknown as Members, 'metadata');
  shareMembers(object.metadata as unknown as Members, like.metadata as unknown as Members, 'managedFields');
}

type Members = Record<string, unknown>;

function shareMembers(object: Members, like: Members, except: string): void {
  if (Object.isFrozen(object)) return;
  for (const key of Object.keys(object))
    if (key !== except && Object.hasOwn(like, key)) object[key] = shared(object[key], like[key]);
}

/** `like` when both are the same throughout; otherwise `value`, with the equal parts of `like` in it. */
function shared(value: unknown, like: unknown): unknown {
  if (value === like) return like;
  if (typeof value !== 'object' || typeof like !== 'object' || value === null || like === null) return value;
  if (Object.isFrozen(value) || Array.isArray(value) !== Array.isArray(like)) return value;
  return sharedMembers(value as Members, like as Members);
}

function sharedMembers(value: Members, like: Members): Members {
  const keys = Object.keys(value);
  const likeKeys = Object.keys(like);
  let isSame = keys.length === likeKeys.length;
  for (const [i, key] of keys.entries()) {
    if (key === likeKeys[i] || Object.hasOwn(like, key)) value[key] = shared(value[key], like[key]);
    isSame &&= key === likeKeys[i] && value[key] === like[key];
  }
  return isSame ? like : value;
}
