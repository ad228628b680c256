import type { Kind } from '../../api/kind.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import { endOfObject, storedHead } from '../registry/stored-form.ts';

/** A served form of an entry: a short ASCII head, a part of the stored bytes, and a short ASCII tail. */
export interface ServedBytes {
  readonly head: string;
  readonly value: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly tail: string;
}

/** The whole object. Undefined when the stored bytes are not in the form of this kind: then they must be decoded. */
export function servedBytes(kind: Kind, entry: ObjectEntry, revision: number, withType: boolean): ServedBytes | undefined {
  const from = bodyOffset(kind, entry);
  if (from === 0) return undefined;
  const { value } = entry;
  const start = withType ? storedHead(kind) : '{"metadata":{';
  return { head: `${start}"resourceVersion":"${revision}",`, value, from, to: value.length, tail: '' };
}

/** The PartialObjectMetadata of an object. Undefined as with `servedBytes`. */
export function servedMetadata(kind: Kind, entry: ObjectEntry, revision: number, metaVersion: string): ServedBytes | undefined {
  const from = bodyOffset(kind, entry);
  if (from === 0) return undefined;
  const { index, value } = entry;
  index.metadataEnd ||= endOfObject(value, from);
  const start = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${metaVersion}","metadata":{`;
  return { head: `${start}"resourceVersion":"${revision}",`, value, from, to: index.metadataEnd, tail: '}' };
}

/** 0: the bytes are not in the form of this kind. */
function bodyOffset(kind: Kind, { index }: ObjectEntry): number {
  return index.kind === kind && !kind.fromStorage ? index.bodyOffset : 0;
}

/** The same within more text. ASCII. */
export function wrapped(served: ServedBytes, head: string, tail: string): ServedBytes {
  return { ...served, head: head + served.head, tail: served.tail + tail };
}

/** Nothing but text. ASCII. */
export function onlyText(text: string): ServedBytes {
  return { head: text, value: noBytes, from: 0, to: 0, tail: '' };
}

const noBytes = new Uint8Array();

/** How many bytes `copyInto` writes. */
export function sizeOf({ head, from, to, tail }: ServedBytes): number {
  return head.length + to - from + tail.length;
}

/** Copies the served form into `target` and returns where it ends. */
export function copyInto(target: Buffer, at: number, { head, value, from, to, tail }: ServedBytes): number {
  target.write(head, at, 'latin1');
  const bodyAt = at + head.length;
  if (to > from) target.set(value.subarray(from, to), bodyAt);
  const end = bodyAt + to - from;
  if (tail !== '') target.write(tail, end, 'latin1');
  return end + tail.length;
}
