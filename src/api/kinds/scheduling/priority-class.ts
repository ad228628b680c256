import { lookup } from '../../../lib/lookup.ts';
import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkImmutable } from '../../validation/checks.ts';
import { forbidden } from '../../validation/errors.ts';
import { setGeneration } from '../strategy.ts';

const systemPrefix = 'system-';
const highestUserPriority = 1_000_000_000;

/** Classes of the system itself, with their values. */
const systemPriorities: Readonly<Record<string, number>> = lookup({
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
});

export type PriorityClass = t.PriorityClass;
export const PriorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  scope: 'Cluster',
  applyDefaults(priorityClass) {
    priorityClass.value ??= 0;
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  prepareForCreate(priorityClass) {
    priorityClass.metadata.generation = 1;
  },
  prepareForUpdate(next, previous) {
    setGeneration(next, previous, false);
  },
  validate({ metadata, value = 0 }) {
    const errors: FieldError[] = [];
    const name = metadata.name ?? '';
    if (name.startsWith(systemPrefix)) {
      if (systemPriorities[name] !== value) {
        const why =
          name in systemPriorities
            ? `value of ${name} PriorityClass must be ${systemPriorities[name]}`
            : `${name} is not a known system priority class`;
        const detail = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${why}`;
        errors.push(forbidden('metadata.name', detail));
      }
    }
    return errors;
  },
  validateCreate({ metadata, value = 0, preemptionPolicy }) {
    const errors: FieldError[] = [];
    if (!metadata.name?.startsWith(systemPrefix) && value > highestUserPriority) {
      errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`));
    }
    if (preemptionPolicy) checkEnum(errors, 'preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    if (next.value !== previous.value) errors.push(forbidden('value', 'may not be changed in an update.'));
    checkImmutable(errors, 'preemptionPolicy', next.preemptionPolicy, previous.preemptionPolicy);
    return errors;
  },
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', cell: (priorityClass) => priorityClass.value ?? 0 },
    { name: 'Global-Default', type: 'boolean', cell: (priorityClass) => priorityClass.globalDefault ?? false },
    ageColumn,
    { name: 'PreemptionPolicy', type: 'string', cell: (priorityClass) => priorityClass.preemptionPolicy ?? '' },
  ],
});
