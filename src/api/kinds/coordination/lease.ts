import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkNonNegative, checkText } from '../../validation/checks.ts';
import { forbidden, invalid } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';

export type Lease = t.Lease;
export const Lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  lazy: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  applyDefaults(lease) {
    lease.spec ??= {};
  },
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    const seconds = spec.leaseDurationSeconds;
    if (seconds !== undefined && seconds <= 0) {
      errors.push(invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    }
    checkNonNegative(errors, 'spec.leaseTransitions', spec.leaseTransitions);
    if (spec.strategy?.includes('/')) checkText(errors, 'spec.strategy', spec.strategy, qualifiedName);
    else checkEnum(errors, 'spec.strategy', spec.strategy, ['OldestEmulationVersion']);
    if (spec.preferredHolder && !spec.strategy) {
      errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
    }
    return errors;
  },
  columns: [nameColumn, { name: 'Holder', type: 'string', cell: (lease) => lease.spec?.holderIdentity ?? '' }, ageColumn],
});
