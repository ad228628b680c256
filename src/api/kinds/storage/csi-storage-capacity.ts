import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { createdColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { invalid } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { checkQuantity } from '../../validation/quantities.ts';
import { warnOfNodeSelector } from '../../validation/warnings.ts';
import { canonicalQuantity } from '../core/resource-list.ts';

export type CSIStorageCapacity = t.CSIStorageCapacity;
export const CSIStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  scope: 'Namespaced',
  allowUnconditionalUpdate: false,
  applyDefaults(capacity) {
    if (capacity.capacity !== undefined) capacity.capacity = canonicalQuantity(capacity.capacity);
    if (capacity.maximumVolumeSize !== undefined) capacity.maximumVolumeSize = canonicalQuantity(capacity.maximumVolumeSize);
  },
  validate({ storageClassName = '', nodeTopology, capacity }) {
    const errors: FieldError[] = [];
    checkLabelSelector(errors, 'nodeTopology', nodeTopology);
    for (const problem of dns1123Subdomain(storageClassName)) {
      errors.push(invalid('storageClassName', storageClassName, problem));
    }
    checkQuantity(errors, 'capacity', capacity);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'nodeTopology', next.nodeTopology, previous.nodeTopology);
    checkImmutable(errors, 'storageClassName', next.storageClassName, previous.storageClassName);
    return errors;
  },
  warnings({ nodeTopology }) {
    const warnings: string[] = [];
    warnOfNodeSelector(warnings, 'nodeTopology', nodeTopology);
    return warnings;
  },
  columns: [nameColumn, createdColumn],
});
