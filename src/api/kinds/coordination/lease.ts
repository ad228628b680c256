import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkNonNegative } from '../../validation/checks.ts';
import { invalid } from '../../validation/errors.ts';

export type Lease = t.Lease;
export const Lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  freeFinalizers: true,
  lazy: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  applyDefaults(lease) {
    lease.spec ??= {};
    // Belongs to a feature that 1.36 has switched off.
    delete lease.spec.strategy;
    delete lease.spec.preferredHolder;
  },
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const seconds = spec.leaseDurationSeconds;
    if (seconds !== undefined && seconds <= 0) {
      errors.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    }
    checkNonNegative(errors, 'spec.leaseTransitions', spec.leaseTransitions);
    return errors;
  },
  columns: [nameColumn, { name: 'Holder', type: 'string', cell: (lease) => lease.spec?.holderIdentity ?? '' }, ageColumn],
});
