import { defineKind, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { legacyClassAnnotation, storageClassOf } from '../../storage-class-name.ts';
import { ageColumn, nameColumn, unset } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { checkQuantity, keyed, nanos } from '../../validation/quantities.ts';
import { statusSubresource } from '../subresources.ts';
import { accessModesText } from './access-modes.ts';
import { checkClaimSpec } from './persistent-volume-claim-validation.ts';
import { defaultClaimSpec } from './pod-spec.ts';
import { canonicalResources } from './resource-list.ts';
import { warnOfClaimSpec } from './volume-warnings.ts';

export type PersistentVolumeClaim = t.PersistentVolumeClaim;
export const PersistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  returnsDeletedObject: true,
  applyDefaults(claim) {
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    canonicalResources(claim.status.capacity);
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    settleSource(claim.spec);
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    settleSource(next.spec, previous.spec);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (spec) checkClaimSpec(errors, 'spec', spec);
    return errors;
  },
  validateUpdate: validateClaimUpdate,
  validateStatusUpdate({ spec, status }) {
    const errors: FieldError[] = [];
    if (!spec?.accessModes?.length) errors.push(required('Spec.accessModes'));
    for (const resource in status?.capacity) {
      checkQuantity(errors, keyed('status.capacity', resource), status?.capacity?.[resource]);
    }
    if (status) checkResize(errors, status);
    return errors;
  },
  warnings({ metadata, spec }) {
    const warnings: string[] = [];
    if (metadata.annotations?.[legacyClassAnnotation] !== undefined) {
      warnings.push(
        `metadata.annotations[${legacyClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
      );
    }
    warnOfClaimSpec(warnings, 'spec', spec);
    return warnings;
  },
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', cell: (c) => (c.metadata.deletionTimestamp ? 'Terminating' : (c.status?.phase ?? '')) },
    { name: 'Volume', type: 'string', cell: (claim) => claim.spec?.volumeName ?? '' },
    {
      name: 'Capacity',
      type: 'string',
      cell: ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      cell: ({ spec, status }) => (spec?.volumeName ? accessModesText(status?.accessModes) : ''),
    },
    { name: 'StorageClass', type: 'string', cell: storageClassOf },
    { name: 'VolumeAttributesClass', type: 'string', cell: (claim) => claim.spec?.volumeAttributesClassName ?? unset },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: (claim) => claim.spec?.volumeMode ?? unset },
  ],
});

/** Two names of one field, as long as both can say it; an old client knows only one. */
function settleSource(spec: t.PersistentVolumeClaimSpec, previous?: t.PersistentVolumeClaimSpec): void {
  const hadSource = previous?.dataSource !== undefined || previous?.dataSourceRef !== undefined;
  // A feature that 1.36 leaves off: sources in other namespaces.
  if (spec.dataSourceRef?.namespace && !previous?.dataSourceRef) delete spec.dataSourceRef;
  // The old field knows two kinds of sources; others it never said.
  if (!hadSource && !spec.dataSourceRef && !isOldSource(spec.dataSource)) delete spec.dataSource;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}

function isOldSource(source: t.TypedLocalObjectReference | undefined): boolean {
  if (source?.kind === 'PersistentVolumeClaim') return !source.apiGroup;
  return source?.kind === 'VolumeSnapshot' && source.apiGroup === 'snapshot.storage.k8s.io';
}

/** A claim keeps its spec, but for the volume it is bound to (once), the class it was given (once), and growth of a bound claim. */
function validateClaimUpdate(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const before = previous.spec;
  const isBound = next.status?.phase === 'Bound';
  const after: t.PersistentVolumeClaimSpec = { ...next.spec };
  if (!before.volumeName) copy(after, before, 'volumeName');
  if (before.storageClassName === undefined) copy(after, before, 'storageClassName');
  if (isBound) {
    copy(after, before, 'volumeAttributesClassName');
    const storage = before.resources?.requests?.['storage'];
    if (storage !== undefined) {
      after.resources = { ...after.resources, requests: { ...after.resources?.requests, storage } };
    }
  }
  if (!semanticEqual(after, before)) {
    const detail = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';
    errors.push(forbidden('spec', detail));
  }
  const size = nanos(next.spec.resources?.requests?.['storage']);
  if (size < nanos(before.resources?.requests?.['storage']) && size <= nanos(previous.status?.capacity?.['storage'])) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  checkImmutable(errors, 'volumeMode', next.spec.volumeMode, before.volumeMode);
  const annotation = (claim: PersistentVolumeClaim): string | undefined => claim.metadata.annotations?.[legacyClassAnnotation];
  const annotations = keyed('metadata.annotations', legacyClassAnnotation);
  checkImmutable(errors, annotations, annotation(next), annotation(previous));
  return errors;
}

function copy<K extends keyof t.PersistentVolumeClaimSpec>(
  into: t.PersistentVolumeClaimSpec,
  from: t.PersistentVolumeClaimSpec,
  field: K,
): void {
  if (from[field] === undefined) delete into[field];
  else into[field] = from[field];
}

/** The VolumeAttributesClasses of a claim: the one it asks for, the one it has, and the one it is being changed to. */
export function attributesClassesOf({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return names.filter((name): name is string => Boolean(name));
}

const resizes = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
].sort();

/** What was given to a claim while it grows: storage, and drivers' own resources. */
function checkResize(
  errors: FieldError[],
  { allocatedResources, allocatedResourceStatuses }: t.PersistentVolumeClaimStatus,
): void {
  for (const [resource, state] of Object.entries(allocatedResourceStatuses ?? {})) {
    checkResizedResource(errors, 'status.allocatedResourceStatuses', resource);
    if (!resizes.includes(state)) errors.push(notSupported('status.allocatedResourceStatuses', resource, resizes));
  }
  for (const [resource, amount] of Object.entries(allocatedResources ?? {})) {
    if (checkResizedResource(errors, 'status.allocatedResources', resource)) {
      checkQuantity(errors, keyed('status.allocatedResources', resource), amount);
    }
  }
}

function checkResizedResource(errors: FieldError[], field: string, resource: string): boolean {
  const problems = qualifiedName(resource);
  for (const problem of problems) errors.push(invalid(field, resource, problem));
  if (problems.length > 0 || resource === 'storage' || (resource.includes('/') && !resource.includes('kubernetes.io/'))) {
    return problems.length === 0;
  }
  errors.push(notSupported(field, resource, ['storage']));
  return false;
}
