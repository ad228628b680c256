import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { labelText, nameColumn } from '../../table/columns.ts';
import { counted } from '../strategy.ts';
import { templateColumns } from '../template-columns.ts';
import { defaultPodTemplate } from './pod-spec.ts';
import { checkPodTemplate } from './pod-spec-validation.ts';
import { templateWarnings } from './pod-warnings.ts';

export type PodTemplate = t.PodTemplate;
export const PodTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  scope: 'Namespaced',
  returnsDeletedObject: true,
  applyDefaults: defaultPodTemplate,
  ...counted,
  validate({ template }) {
    const errors: FieldError[] = [];
    if (template) checkPodTemplate(errors, 'template', template);
    return errors;
  },
  warnings: (next, previous) => templateWarnings(next, previous, { at: 'template', template: next.template }),
  columns: [
    nameColumn,
    ...templateColumns<PodTemplate>(({ template }) => template).map(({ priority: _, ...column }) => column),
    { name: 'Pod Labels', type: 'string', cell: ({ template }) => labelText(template?.metadata?.labels) },
  ],
});
