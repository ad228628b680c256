import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { forbidden } from '../../validation/errors.ts';
import { checkLabels } from '../../validation/labels.ts';
import { checkAnnotations } from '../../validation/object-meta.ts';
import { checkDeviceClaim, defaultDeviceClaim } from './device-requests.ts';

export type ResourceClaimTemplate = t.ResourceClaimTemplate;
export const ResourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  scope: 'Namespaced',
  returnsDeletedObject: true,
  applyDefaults(template) {
    template.spec ??= { spec: {} };
    template.spec.spec ??= {};
    template.spec.metadata ??= {};
    defaultDeviceClaim(template.spec.spec);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkLabels(errors, 'spec.metadata.labels', spec?.metadata?.labels);
    checkAnnotations(errors, 'spec.metadata.annotations', spec?.metadata?.annotations);
    for (const field in spec?.metadata) {
      if (field !== 'labels' && field !== 'annotations') errors.push(forbidden(`spec.metadata.${field}`, 'cannot be set'));
    }
    checkDeviceClaim(errors, 'spec.spec', spec?.spec);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec', next.spec, previous.spec);
    return errors;
  },
  columns: [nameColumn, ageColumn],
});
