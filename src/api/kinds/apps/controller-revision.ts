import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { required } from '../../validation/errors.ts';

export type ControllerRevision = t.ControllerRevision;
export const ControllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  scope: 'Namespaced',
  applyDefaults(revision) {
    revision.revision ??= 0;
  },
  validate({ data, revision }) {
    const errors: FieldError[] = [];
    if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'));
    else if (typeof data !== 'object' || Array.isArray(data)) {
      errors.push(required('data', 'data must be a valid JSON object'));
    }
    checkNonNegative(errors, 'revision', revision);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'data', next.data, previous.data);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Controller', type: 'string', cell: controllerText },
    { name: 'Revision', type: 'string', cell: (revision) => revision.revision ?? 0 },
    ageColumn,
  ],
});

/** `statefulset.apps/web` */
function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((o) => o.controller);
  if (!owner) return none;
  const [group] = owner.apiVersion.split('/');
  const kind = owner.kind.toLowerCase();
  return owner.apiVersion.includes('/') ? `${kind}.${group}/${owner.name}` : `${kind}/${owner.name}`;
}
