import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { requestTooLarge } from '../../api/status-error.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * The largest object that is stored, as JSON. etcd takes 1.5 MiB, of protobuf; without any limit an object would grow with each patch, until nobody
 * could read or change it any more.
 */
export const maxObjectBytes = 3 * 1024 * 1024;

/**
 * The stored form of an object, within the limit. Who owns its fields may take more room than the fields: as in upstream
 * (apiserver: pkg/endpoints/handlers/create.go, update.go, patch.go) a large object goes without, unless `keepsManagers`. Throws StatusError 413.
 */
export function fittingForm(
  objects: ObjectStore,
  kind: Kind,
  object: KubeObject,
  keepsManagers: boolean,
): ReturnType<ObjectStore['encode']> {
  const content = objects.encode(kind, object);
  if (content.value.length <= maxObjectBytes) return content;
  const { managedFields, ...metadata } = object.metadata;
  if (keepsManagers || !managedFields) throw tooLarge(kind, object, content.value.length);
  object.metadata = metadata;
  return fittingForm(objects, kind, object, keepsManagers);
}

function tooLarge(kind: Kind, { metadata }: KubeObject, bytes: number): Error {
  const what = `${kind.kind} "${metadata.name}"`;
  return requestTooLarge(`Request entity too large: ${what} would be ${bytes} bytes large, an object may be ${maxObjectBytes}`);
}
