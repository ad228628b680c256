import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable, requireText } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate } from '../../validation/errors.ts';
import { checkLabels } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { checkRequirements } from '../../validation/quantities.ts';
import { nodeLabelAdvice } from '../../validation/warnings.ts';
import { canonicalResources } from '../core/resource-list.ts';
import { checkTolerations } from '../core/scheduling-validation.ts';

export type RuntimeClass = t.RuntimeClass;
export const RuntimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  freeFinalizers: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  applyDefaults(runtimeClass) {
    canonicalResources(runtimeClass.overhead?.podFixed);
  },
  validate({ handler, overhead, scheduling }) {
    const errors: FieldError[] = [];
    requireText(errors, 'handler', handler, dns1123Label);
    if (overhead?.podFixed) checkRequirements(errors, 'overhead', { limits: overhead.podFixed });
    if (!scheduling) return errors;
    checkLabels(errors, 'scheduling.nodeSelector', scheduling.nodeSelector);
    checkTolerations(errors, 'scheduling.tolerations', scheduling.tolerations);
    scheduling.tolerations?.forEach((toleration, i, all) => {
      if (all.slice(0, i).some((other) => semanticEqual(other, toleration))) {
        errors.push(duplicate(`scheduling.tolerations[${i}]`, toleration));
      }
    });
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'handler', next.handler, previous.handler);
    return errors;
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
      const advice = nodeLabelAdvice(label);
      return advice ? [`scheduling.nodeSelector: ${advice}`] : [];
    }),
  columns: [nameColumn, { name: 'Handler', type: 'string', cell: (c) => c.handler ?? '' }, ageColumn],
});
