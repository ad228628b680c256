import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkImmutable, checkText, requireEnum } from '../../validation/checks.ts';
import { equalMaps } from '../../validation/equal.ts';
import { duplicate, forbidden, invalid, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { nodeLabelAdvice } from '../../validation/warnings.ts';
import { checkParameters } from './parameters.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

export type StorageClass = t.StorageClass;
export const StorageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  scope: 'Cluster',
  returnsDeletedObject: true,
  applyDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate(storageClass) {
    const errors: FieldError[] = [];
    const { provisioner, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass;
    if (!provisioner) errors.push(required('provisioner'));
    else checkText(errors, 'provisioner', provisioner.toLowerCase(), qualifiedName);
    checkParameters(errors, storageClass.parameters);
    checkEnum(errors, 'reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']);
    requireEnum(errors, 'volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
    allowedTopologies?.forEach((term, i) => {
      checkTopology(errors, `allowedTopologies[${i}]`, term);
    });
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (!equalMaps(next.parameters, previous.parameters)) {
      errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    }
    if (next.provisioner !== previous.provisioner) {
      errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
    }
    if (next.reclaimPolicy !== previous.reclaimPolicy) {
      errors.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
    }
    checkImmutable(errors, 'volumeBindingMode', next.volumeBindingMode, previous.volumeBindingMode);
    return errors;
  },
  warnings({ allowedTopologies = [] }) {
    return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, i) =>
      matchLabelExpressions.flatMap(({ key }, e) => {
        const advice = nodeLabelAdvice(key);
        return advice ? [`allowedTopologies[${i}].matchLabelExpressions[${e}].key: ${advice}`] : [];
      }),
    );
  },
  columns: [
    { ...nameColumn, cell: ({ metadata }) => (isDefault(metadata) ? `${metadata.name} (default)` : metadata.name) },
    { name: 'Provisioner', type: 'string', cell: (storageClass) => storageClass.provisioner ?? '' },
    { name: 'ReclaimPolicy', type: 'string', cell: (storageClass) => storageClass.reclaimPolicy ?? 'Delete' },
    { name: 'VolumeBindingMode', type: 'string', cell: (storageClass) => storageClass.volumeBindingMode ?? 'Immediate' },
    { name: 'AllowVolumeExpansion', type: 'string', cell: (storageClass) => storageClass.allowVolumeExpansion ?? false },
    ageColumn,
  ],
});

const isDefault = ({ annotations }: t.ObjectMeta): boolean => defaultAnnotations.some((key) => annotations?.[key] === 'true');

function checkTopology(errors: FieldError[], at: string, term: t.TopologySelectorTerm): void {
  const keys = new Set<string>();
  term.matchLabelExpressions?.forEach(({ key, values = [] }, i) => {
    const field = `${at}.matchLabelExpressions[${i}]`;
    if (values.length === 0) errors.push(required(`${field}.values`));
    values.forEach((value, v) => {
      if (values.indexOf(value) < v) errors.push(duplicate(`${field}.values[${v}]`, value));
    });
    for (const problem of qualifiedName(key ?? '')) errors.push(invalid(`${field}.key`, key ?? '', problem));
    if (keys.has(key)) errors.push(duplicate(`${field}.key`, key));
    keys.add(key);
  });
}
