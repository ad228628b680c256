import type { Kind } from '../../api/kind.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';

/**
 * How objects lie in the store: UTF-8 JSON that starts with kind, apiVersion and metadata and has no resourceVersion. So the served form is
 * a short head with the version spliced in, followed by the stored bytes from a known offset on.
 */
export const registryPrefix = '/registry/';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `/registry/pods/default/`, or `/registry/pods/` for all namespaces and for cluster-scoped kinds. */
export function prefixOf(kind: Kind, namespace?: string): string {
  const base = `${registryPrefix}${kind.storageResource}/`;
  return namespace && kind.scope === 'Namespaced' ? `${base}${namespace}/` : base;
}

/** The store key of one object. */
export function storeKeyOf(kind: Kind, key: { namespace?: string | undefined; name: string }): string {
  return prefixOf(kind, key.namespace) + key.name;
}

/** What the stored bytes of a kind start with, up to the first field of metadata. */
export function storedHead(kind: Kind): string {
  return `{"kind":${JSON.stringify(kind.kind)},"apiVersion":"${apiVersionOf(kind)}","metadata":{`;
}

/** Serializes an object in its stored form. This is the only time it is serialized. */
export function encodeStored(object: KubeObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...storedMetadata } = metadata;
  return encoder.encode(JSON.stringify({ kind, apiVersion, metadata: storedMetadata, ...rest }));
}

/** A new, mutable object from stored bytes, with its resourceVersion. */
export function decodeStored(value: Uint8Array, revision: number): KubeObject {
  const object = JSON.parse(decoder.decode(value)) as KubeObject;
  object.metadata.resourceVersion = String(revision);
  return object;
}

/** True when the bytes start as `head` says. */
export function startsWith(value: Uint8Array, head: Uint8Array): boolean {
  if (value.length < head.length) return false;
  for (let i = 0; i < head.length; i++) if (value[i] !== head[i]) return false;
  return true;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Where a JSON object ends of which the bytes from `from` on are the inside: after its closing brace. */
export function endOfObject(value: Uint8Array, from: number): number {
  let depth = 1;
  for (let i = from; i < value.length; i++) {
    const byte = value[i];
    if (byte === quote) {
      for (i++; value[i] !== quote; i++) if (value[i] === backslash) i++;
    } else if (byte === openBrace) depth++;
    else if (byte === closeBrace && --depth === 0) return i + 1;
  }
  return value.length;
}

/** Freezes a value and all it refers to; stops at what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
