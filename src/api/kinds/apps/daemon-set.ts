import { defineKind, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, labelText, nameColumn } from '../../table/columns.ts';
import { checkImmutable, checkNonNegative } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector, isEmptySelector } from '../../validation/labels.ts';
import { defaultPodTemplate } from '../core/pod-spec.ts';
import { checkPodTemplate } from '../core/pod-spec-validation.ts';
import { templateWarnings } from '../core/pod-warnings.ts';
import { contentChanged, setGeneration } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { selectorColumn, templateColumns } from '../template-columns.ts';
import { checkAlwaysRestarts, checkCollisionCount, checkSelectsTemplate, checkShare, isZero } from './workload-validation.ts';

const defaultHistory = 10;
/** Survives from the time when it was a field of the spec. */
const templateGeneration = 'deprecated.daemonset.template.generation';

export type DaemonSet = t.DaemonSet;
export const DaemonSet = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  applyDefaults(ds) {
    const spec = (ds.spec ??= {} as t.DaemonSetSpec);
    defaultPodTemplate(spec);
    spec.revisionHistoryLimit ??= defaultHistory;
    // As the field it once was: it has a value, so that it belongs to who wrote the set, before the server counts.
    (ds.metadata.annotations ??= {})[templateGeneration] ??= '0';
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= 'RollingUpdate';
    if (strategy.type !== 'RollingUpdate') return;
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  },
  prepareForCreate(ds) {
    ds.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    ds.metadata.generation = 1;
    (ds.metadata.annotations ??= {})[templateGeneration] = '1';
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
    const before = Number(previous.metadata.annotations?.[templateGeneration] ?? 0);
    const changed = !semanticEqual(next.spec?.template, previous.spec?.template);
    (next.metadata.annotations ??= {})[templateGeneration] = String(changed ? before + 1 : before);
  },
  validate: validateDaemonSet,
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.selector', next.spec.selector, previous.spec.selector);
    return errors;
  },
  validateStatusUpdate(next, previous) {
    const errors: FieldError[] = [];
    const counts = (next.status ?? {}) as unknown as Readonly<Record<string, unknown>>;
    for (const field in counts) {
      const count = counts[field];
      if (typeof count === 'number') checkNonNegative(errors, `status.${field}`, count);
    }
    checkCollisionCount(errors, next.status?.collisionCount, previous.status?.collisionCount);
    return errors;
  },
  warnings: (next, previous) => templateWarnings(next, previous, { at: 'spec.template', template: next.spec?.template }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: (ds) => ds.status?.desiredNumberScheduled ?? 0 },
    { name: 'Current', type: 'integer', cell: (ds) => ds.status?.currentNumberScheduled ?? 0 },
    { name: 'Ready', type: 'integer', cell: (ds) => ds.status?.numberReady ?? 0 },
    { name: 'Up-to-date', type: 'integer', cell: (ds) => ds.status?.updatedNumberScheduled ?? 0 },
    { name: 'Available', type: 'integer', cell: (ds) => ds.status?.numberAvailable ?? 0 },
    { name: 'Node Selector', type: 'string', cell: (ds) => labelText(ds.spec?.template?.spec?.nodeSelector) },
    ageColumn,
    ...templateColumns<DaemonSet>(({ spec }) => spec?.template),
    selectorColumn<DaemonSet>(({ spec }) => spec?.selector),
  ],
});

function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { selector, template = {} } = spec;
  const before = errors.length;
  checkLabelSelector(errors, 'spec.selector', selector);
  if (errors.length === before) checkSelectsTemplate(errors, selector, template);
  if (selector && isEmptySelector(selector)) {
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  }
  checkPodTemplate(errors, 'spec.template', template);
  checkAlwaysRestarts(errors, template, 'DaemonSet');
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkStrategy(errors, spec.updateStrategy ?? {});
  checkNonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  return errors;
}

function checkStrategy(errors: FieldError[], strategy: t.DaemonSetUpdateStrategy): void {
  const field = 'spec.updateStrategy.rollingUpdate';
  if (strategy.type === 'OnDelete') return;
  if (strategy.type !== 'RollingUpdate') {
    errors.push(notSupported('spec.updateStrategy', strategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const rolling = strategy.rollingUpdate;
  if (!rolling) {
    errors.push(required(field));
    return;
  }
  checkShare(errors, `${field}.maxUnavailable`, rolling.maxUnavailable);
  checkShare(errors, `${field}.maxSurge`, rolling.maxSurge);
  const none = isZero(rolling.maxUnavailable);
  const noSurge = isZero(rolling.maxSurge);
  if (!none && !noSurge) {
    errors.push(invalid(`${field}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  if (none && noSurge) errors.push(required(`${field}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}
