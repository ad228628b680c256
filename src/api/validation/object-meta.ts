import type { FieldError } from '../field-error.ts';
import type { ObjectMeta, OwnerReference } from '../generated/types.ts';
import type { Kind } from '../kind.ts';
import { checkImmutable } from './checks.ts';
import { forbidden, invalid, invalidAsPrinted, printed, required, tooLong } from './errors.ts';
import { checkLabels } from './labels.ts';
import { dns1123Label, nameRule, qualifiedName } from './names.ts';

/** All annotations of an object together, in bytes of UTF-8. */
export const annotationsLimitBytes = 256 * 1024;

type NamedKind = Pick<Kind, 'nameRule' | 'scope' | 'type' | 'freeFinalizers'>;

/**
 * What every object's metadata must satisfy, apart from the kind's own rules; `Kind.validate` does not repeat it. To be called when
 * the name has been generated. kubernetes: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
 */
export function validateObjectMeta(kind: NamedKind, meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  checkName(errors, kind, meta);
  checkNamespace(errors, kind, meta.namespace);
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0'));
  }
  checkLabels(errors, 'metadata.labels', meta.labels);
  checkAnnotations(errors, 'metadata.annotations', meta.annotations);
  checkOwnerReferences(errors, meta.ownerReferences);
  checkFinalizers(errors, kind, meta.finalizers);
  return errors;
}

function checkName(errors: FieldError[], kind: NamedKind, meta: ObjectMeta): void {
  const rule = nameRule(kind.nameRule);
  if (meta.generateName) {
    for (const problem of rule(maskTrailingDash(meta.generateName, kind))) {
      errors.push(invalid('metadata.generateName', meta.generateName, problem));
    }
  }
  if (!meta.name) errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const problem of rule(meta.name)) errors.push(invalid('metadata.name', meta.name, problem));
}

/** A prefix may end in a dash: letters follow it. */
function maskTrailingDash(prefix: string, kind: NamedKind): string {
  return kind.nameRule !== 'pathSegment' && prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix;
}

function checkNamespace(errors: FieldError[], kind: NamedKind, namespace: string | undefined): void {
  if (kind.scope === 'Cluster') {
    if (namespace) errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  } else if (!namespace) errors.push(required('metadata.namespace'));
  else for (const problem of dns1123Label(namespace)) errors.push(invalid('metadata.namespace', namespace, problem));
}

/** Keys are qualified names in any case; the total size is limited. */
export function checkAnnotations(errors: FieldError[], field: string, annotations: Record<string, string> | undefined): void {
  if (!annotations) return;
  let size = 0;
  for (const key in annotations) {
    for (const problem of qualifiedName(key.toLowerCase())) errors.push(invalid(field, key, problem));
    size += utf8Length(key) + utf8Length(annotations[key] ?? '');
  }
  if (size > annotationsLimitBytes) errors.push(tooLong(field, annotationsLimitBytes));
}

/** Bytes of a text in UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes: one more for each half.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

function checkOwnerReferences(errors: FieldError[], references: readonly OwnerReference[] | undefined): void {
  const field = 'metadata.ownerReferences';
  let controller = '';
  let all: string | undefined;
  for (const reference of references ?? []) {
    checkOwnerReference(errors, field, reference);
    if (!reference.controller) continue;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === '') controller = name;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      errors.push(invalidAsPrinted(field, (all ??= printed(references)), detail));
    }
  }
}

function checkOwnerReference(errors: FieldError[], field: string, reference: OwnerReference): void {
  const { apiVersion = '', kind, name, uid } = reference;
  if (apiVersion === '' || apiVersion.endsWith('/') || apiVersion.split('/').length > 2) {
    errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
  }
  if (!kind) errors.push(invalid(`${field}.kind`, kind ?? '', 'must not be empty'));
  if (!name) errors.push(invalid(`${field}.name`, name ?? '', 'must not be empty'));
  if (!uid) errors.push(invalid(`${field}.uid`, uid ?? '', 'must not be empty'));
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push(invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
}

function checkFinalizers(errors: FieldError[], kind: NamedKind, finalizers: readonly string[] | undefined): void {
  if (!finalizers) return;
  const field = 'metadata.finalizers';
  for (const [i, finalizer] of finalizers.entries()) {
    for (const problem of qualifiedName(finalizer)) errors.push(invalid(field, finalizer, problem));
    // Custom resources have no type of their own, and may name theirs as they like.
    if (kind.type !== '' && !kind.freeFinalizers) checkFullFinalizer(errors, `${field}[${i}]`, finalizer);
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** A finalizer is one of Kubernetes' own or has its owner's domain. */
export function checkFullFinalizer(errors: FieldError[], field: string, finalizer: string): void {
  if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return;
  errors.push(invalid(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
}

/**
 * What no update may do to metadata. To be called after the server's own fields (uid, creationTimestamp, …) have been carried over from
 * `previous`; `validateObjectMeta` runs as well.
 */
export function validateObjectMetaUpdate(next: ObjectMeta, previous: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp) {
    const extra = (next.finalizers ?? []).filter((f) => !previous.finalizers?.includes(f)).sort();
    if (extra.length > 0) {
      const list = `[]string{${extra.map((f) => JSON.stringify(f)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbidden('metadata.finalizers', detail));
    }
  }
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(invalid('metadata.generation', next.generation ?? 0, 'must not be decremented'));
  }
  for (const field of serverOwnedFields) checkImmutable(errors, `metadata.${field}`, next[field], previous[field]);
  return errors;
}

const serverOwnedFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;
