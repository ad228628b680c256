import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { AdmissionRequest, Operation } from './admission.ts';

/**
 * The object of a request that is about this kind (any version of it), one of the operations and the sub-resource ('' = the object itself);
 * undefined for all other requests, and for deletions.
 */
export function objectOf<T extends KubeObject>(
  request: AdmissionRequest,
  kind: Kind<T>,
  operations: readonly Operation[],
  subresource = '',
): T | undefined {
  if (request.subresource !== subresource || !operations.includes(request.operation)) return undefined;
  if (request.kind.storageResource !== kind.storageResource) return undefined;
  return request.object as unknown as T | undefined;
}

/** True for requests about this kind, whatever the sub-resource. */
export function isAbout(request: AdmissionRequest, kind: Kind): boolean {
  return request.kind.storageResource === kind.storageResource;
}
