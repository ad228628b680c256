import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '../../api/generated/types.ts';
import { type Allocatable, fieldValue, resourceValue } from '../pod/field-ref.ts';

/** A file of a volume whose content comes from API objects. */
export interface PayloadFile {
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** Owner, when it is not root. */
  readonly uid?: number;
}

/** Relative path → file. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/** The files a ConfigMap makes. Throws when an item names a key that is not there and the reference is not optional. */
export function configMapPayload(object: ConfigMap | undefined, selection: Selection): Payload {
  const data = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(object?.binaryData ?? {})) data.set(key, Buffer.from(base64, 'base64'));
  return selected(data, selection);
}

/** The files a Secret makes; as `configMapPayload`. */
export function secretPayload(object: Secret | undefined, selection: Selection): Payload {
  const data = new Map<string, Uint8Array>();
  for (const [key, base64] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(base64, 'base64'));
  return selected(data, selection);
}

export interface Selection {
  readonly items: readonly KeyToPath[] | undefined;
  readonly defaultMode: number;
  readonly optional: boolean;
}

function selected(data: ReadonlyMap<string, Uint8Array>, { items, defaultMode, optional }: Selection): Payload {
  const files = new Map<string, PayloadFile>();
  if (!items) {
    for (const [key, bytes] of data) files.set(key, { data: bytes, mode: defaultMode });
    return files;
  }
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes) files.set(path, { data: bytes, mode: mode ?? defaultMode });
    else if (!optional) throw new Error(`references non-existent config key: ${key}`);
  }
  return files;
}

/** The files of a downward-API volume. */
export function downwardPayload(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  context: { defaultMode: number; allocatable: Allocatable },
): Payload {
  const files = new Map<string, PayloadFile>();
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    const text = fieldRef
      ? fieldValue(pod, fieldRef.fieldPath)
      : resourceFieldRef && resourceValue(pod, resourceFieldRef, { allocatable: context.allocatable });
    if (text === undefined) throw new Error(`the downward API has no ${fieldRef?.fieldPath ?? resourceFieldRef?.resource}`);
    files.set(path, { data: Buffer.from(text), mode: mode ?? context.defaultMode });
  }
  return files;
}
