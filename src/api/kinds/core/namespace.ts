import { defineKind, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkGiven } from '../../validation/checks.ts';
import { invalid } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { checkFullFinalizer } from '../../validation/object-meta.ts';
import { statusSubresource } from '../subresources.ts';

const nameLabel = 'kubernetes.io/metadata.name';

export type Namespace = t.Namespace;
export const Namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  resetFields: { finalize: ['status'] },
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'finalize', verbs: ['update'] }, statusSubresource],
  returnsDeletedObject: true,
  nameRule: 'dns1123Label',
  applyDefaults(namespace) {
    const { metadata } = namespace;
    if (metadata.name) (metadata.labels ??= {})[nameLabel] = metadata.name;
    namespace.spec ??= {};
    namespace.status ??= {};
    namespace.status.phase ||= 'Active';
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' };
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'];
    if (namespace.metadata.name) (namespace.metadata.labels ??= {})[nameLabel] = namespace.metadata.name;
  },
  /** Only `/finalize` removes finalizers of the spec. */
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    next.spec = { ...next.spec, ...(previous.spec?.finalizers ? { finalizers: previous.spec.finalizers } : {}) };
  },
  validate: ({ spec }) => validateFinalizers(spec?.finalizers, () => 'spec.finalizers'),
  validateStatusUpdate(next) {
    const wanted = next.metadata.deletionTimestamp ? 'Terminating' : 'Active';
    if (next.status?.phase === wanted) return [];
    const state = wanted === 'Active' ? 'is empty' : 'is not empty';
    return [invalid('status.Phase', next.status?.phase ?? '', `may only be '${wanted}' if \`deletionTimestamp\` ${state}`)];
  },
  selectableFields: {
    'status.phase': (namespace) => namespace.status?.phase ?? '',
    name: (namespace) => namespace.metadata.name,
  },
  columns: [nameColumn, { name: 'Status', type: 'string', cell: (namespace) => namespace.status?.phase ?? '' }, ageColumn],
});

/** Finalizers of the spec; `fieldOf` says how messages name one. */
export function validateFinalizers(finalizers: readonly string[] | undefined, fieldOf: (i: number) => string): FieldError[] {
  const errors: FieldError[] = [];
  finalizers?.forEach((finalizer, i) => {
    checkGiven(errors, fieldOf(i), finalizer, qualifiedName);
    checkFullFinalizer(errors, fieldOf(i), finalizer);
  });
  return errors;
}
