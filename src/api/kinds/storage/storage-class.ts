import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkImmutable, checkText, fieldIsImmutable } from '../../validation/checks.ts';
import { equalMaps, semanticEqual } from '../../validation/equal.ts';
import { duplicate, invalid, required } from '../../validation/errors.ts';
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
    if (reclaimPolicy) checkEnum(errors, 'reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']);
    if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
    checkEnum(errors, 'volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
    allowedTopologies?.forEach((term, i) => {
      checkTopology(errors, `allowedTopologies[${i}]`, term);
      // Upstream takes a term that says nothing for a repetition, once for each term there is.
      const others = term.matchLabelExpressions?.length ? [] : allowedTopologies;
      const same = allowedTopologies.slice(0, i).filter((before) => semanticEqual(termOf(before), termOf(term)));
      for (const _ of [...others, ...same]) errors.push(duplicate(`allowedTopologies[${i}].matchLabelExpressions`, ''));
    });
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (!equalMaps(next.parameters, previous.parameters)) errors.push(invalid('parameters', next.parameters, fieldIsImmutable));
    checkImmutable(errors, 'provisioner', next.provisioner ?? '', previous.provisioner ?? '');
    checkImmutable(errors, 'reclaimPolicy', next.reclaimPolicy, previous.reclaimPolicy);
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

/** A term as sets of values by key: the order says nothing. */
const termOf = ({ matchLabelExpressions = [] }: t.TopologySelectorTerm): object =>
  Object.fromEntries(matchLabelExpressions.map(({ key, values = [] }) => [key, [...values].sort()]));

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
