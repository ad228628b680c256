import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { checkText } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { repeatedConditions } from './condition-types.ts';
import { checkPolicyRules } from './policy-rules.ts';
import { mandatory, standardSchemas } from './standard.ts';

const defaultPrecedence = 1000;
const maxPrecedence = 10_000;
const exemptPrecedence = 1;

export type FlowSchema = t.FlowSchema;
export const FlowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  scope: 'Cluster',
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  applyDefaults(schema) {
    schema.spec ??= {} as t.FlowSchemaSpec;
    schema.spec.matchingPrecedence ||= defaultPrecedence;
  },
  ...countedWithStatus,
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validateStatusUpdate: ({ status }) => repeatedConditions(status?.conditions),
  validate: validateSchema,
  compareRows: (a, b) => a.spec.matchingPrecedence! - b.spec.matchingPrecedence! || (a.metadata.name < b.metadata.name ? -1 : 1),
  columns: [
    nameColumn,
    { name: 'PriorityLevel', type: 'string', cell: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '' },
    { name: 'MatchingPrecedence', type: 'string', cell: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    { name: 'DistinguisherMethod', type: 'string', cell: ({ spec }) => spec?.distinguisherMethod?.type ?? none },
    ageColumn,
    {
      name: 'MissingPL',
      type: 'string',
      cell: ({ status }) => status?.conditions?.find((c) => c.type === 'Dangling')?.status ?? '?',
    },
  ],
});

/** kubernetes: pkg/apis/flowcontrol/validation/validation.go. */
function validateSchema({ metadata, spec }: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules } = spec;
  const field = 'spec.matchingPrecedence';
  if (precedence <= 0) errors.push(invalid(field, precedence, 'must be a positive value'));
  if (precedence > maxPrecedence) errors.push(invalid(field, precedence, `must not be greater than ${maxPrecedence}`));
  if (precedence === exemptPrecedence && metadata.name !== 'exempt') {
    errors.push(invalid(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  const methods = ['ByNamespace', 'ByUser'];
  if (distinguisherMethod && !methods.includes(distinguisherMethod.type)) {
    errors.push(notSupported('spec.distinguisherMethod.type', distinguisherMethod, methods));
  }
  const level = 'spec.priorityLevelConfiguration.name';
  if (!priorityLevelConfiguration?.name) errors.push(required(level, 'must reference a priority level'));
  else checkText(errors, level, priorityLevelConfiguration.name, dns1123Subdomain);
  rules?.forEach((rule, i) => {
    checkPolicyRules(errors, `spec.rules[${i}]`, rule);
  });
  if (mandatory.includes(metadata.name) && !semanticEqual(spec, standardSchemas.get(metadata.name))) {
    errors.push(invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`));
  }
  return errors;
}
