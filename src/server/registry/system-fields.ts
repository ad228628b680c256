import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { badRequest, conflict, type StatusError } from '../../api/status-error.ts';
import { timestamp } from '../../api/timestamp.ts';
import type { Call } from './call.ts';
import { storeKeyOf } from './stored-form.ts';

/** Object and URL must name the same namespace; an object without one takes that of the URL. */
export function settleNamespace(kind: Kind, object: KubeObject, namespace: string | undefined): void {
  const { metadata } = object;
  if (kind.scope === 'Cluster') {
    if (metadata.namespace) throw badRequest('namespace is not allowed on this type');
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace ?? '';
}

/** An update must name the object of the URL (apiserver: pkg/endpoints/handlers/rest.go checkName). */
export function checkName(object: KubeObject, name: string): void {
  const given = object.metadata.name;
  if (!given) throw nameMissing(name);
  if (given !== name) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** A uid in the body must be that of the object there is. */
export function checkUid(kind: Kind, body: KubeObject, { metadata }: KubeObject): void {
  if (body.metadata.uid && body.metadata.uid !== metadata.uid) throw uidConflict(kind, body, metadata.uid);
}

/** The uid of the body is not `actual`. */
export function uidConflict(kind: Kind, { metadata: { namespace, name, uid } }: KubeObject, actual: string): StatusError {
  return notAsStored(kind, { namespace, name }, `UID in precondition: ${uid}, UID in object meta: ${actual}`);
}

/** The object that is stored is not the one the client means, in the words of upstream's storage. */
export function notAsStored(
  kind: Kind,
  { namespace, name }: { readonly namespace?: string | undefined; readonly name: string },
  why: string,
): StatusError {
  const key = storeKeyOf(kind, { namespace, name });
  const error = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0`;
  return conflict(kind, name, `${error}, AdditionalErrorMsg: Precondition failed: ${why}`);
}

/** Owners that are named twice are kept once; the caller is told (apiserver: pkg/endpoints/handlers/rest.go dedupOwnerReferences). */
export function dropRepeatedOwners(object: KubeObject, call: Call): void {
  const owners = object.metadata.ownerReferences;
  if (!owners || owners.length < 2 || new Set(owners.map(({ uid }) => uid)).size === owners.length) return;
  const kept = new Map<string, (typeof owners)[number]>();
  const repeated: string[] = [];
  for (const owner of owners) {
    // Fields are in the schema's order: equal owners are equal as text.
    const text = JSON.stringify(owner);
    if (kept.has(text)) repeated.push(owner.uid);
    else kept.set(text, owner);
  }
  if (repeated.length === 0) return;
  object.metadata.ownerReferences = [...kept.values()];
  call.warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  );
}

/** 400 for an object that does not say its name. */
export function nameMissing(name: string): StatusError {
  return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
}

/** What a create cannot say; uid and creationTimestamp are overwritten (apiserver: pkg/registry/rest/create.go WipeObjectMetaSystemFields). */
export function dropSystemFields(object: KubeObject): void {
  const { metadata } = object;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
}

/** What only the server decides, on create (apiserver: pkg/registry/rest/create.go, meta.go). */
export function fillSystemFields(object: KubeObject, uid: string, nowMs: number): void {
  const { metadata } = object;
  metadata.uid = uid;
  metadata.creationTimestamp = timestamp(nowMs);
}

/**
 * What an update cannot change (apiserver: pkg/registry/rest/update.go BeforeUpdate). The generation starts from the stored one; kinds bump
 * it. Another uid, and a deletion that was not asked for, stay for the validation to refuse.
 */
export function keepSystemFields(next: KubeObject, previous: KubeObject): void {
  const from = previous.metadata;
  const to = next.metadata;
  if (!to.uid) to.uid = from.uid;
  to.creationTimestamp = from.creationTimestamp;
  delete to.selfLink;
  copyOptional(from, to, 'generation');
  if (from.deletionTimestamp) to.deletionTimestamp = from.deletionTimestamp;
  if (from.deletionGracePeriodSeconds !== undefined) to.deletionGracePeriodSeconds ??= from.deletionGracePeriodSeconds;
}

function copyOptional<F extends keyof KubeObject['metadata']>(
  from: KubeObject['metadata'],
  to: KubeObject['metadata'],
  field: F,
): void {
  if (from[field] === undefined) delete to[field];
  else to[field] = from[field];
}

const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const maxGeneratedBaseLength = 58;
/** Characters behind `generateName`. */
export const generatedSuffixLength = 5;

/** Characters of the alphabet generated names use (no vowels: no words). `bytes` are random. */
export function nameCharacters(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += nameAlphabet[byte % nameAlphabet.length];
  return text;
}

/** `generateName` cut so that the whole fits a DNS label, plus a random suffix. */
export function generatedName(base: string, suffix: string): string {
  return base.slice(0, maxGeneratedBaseLength) + suffix;
}
