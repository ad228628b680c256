import { defineKind, keepAllButStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { timestamp } from '../../timestamp.ts';
import { checkText } from '../../validation/checks.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.ts';
import { statusSubresource } from '../subresources.ts';

const defaultServicePort = 443;
const maxGroupPriority = 20_000;
const maxVersionPriority = 1000;
const maxPort = 65535;

export type APIService = t.APIService;
export const APIService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  resetFields: { status: ['metadata', 'spec'] },
  nameRule: 'pathSegment',
  subresources: [statusSubresource],
  allowUnconditionalUpdate: false,
  applyDefaults(service) {
    service.spec ??= {} as t.APIServiceSpec;
    if (service.spec.service) service.spec.service.port ??= defaultServicePort;
  },
  /** What this server serves itself is there at once. */
  prepareForCreate(service, { nowMs }) {
    service.status = service.spec.service ? {} : { conditions: [localCondition(nowMs)] };
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    if (previous.metadata.labels) next.metadata.labels = previous.metadata.labels;
    else delete next.metadata.labels;
  },
  validate: validateService,
  validateStatusUpdate({ status }) {
    const errors: FieldError[] = [];
    status?.conditions?.forEach((condition, i) => {
      const statuses = ['True', 'False', 'Unknown'];
      if (statuses.includes(condition.status)) return;
      errors.push(notSupported(`status.conditions[${i}].status`, condition.status, statuses));
    });
    return errors;
  },
  columns: [
    nameColumn,
    {
      name: 'Service',
      type: 'string',
      cell: ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local'),
    },
    { name: 'Available', type: 'string', cell: availableText },
    ageColumn,
  ],
});

function localCondition(nowMs: number): t.APIServiceCondition {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: timestamp(nowMs),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
}

/** kubernetes: staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/validation. */
function validateService({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service } = spec;
  if (metadata.name !== `${version}.${group}`) {
    errors.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: "${version}.${group}"`));
  }
  if (!group && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  checkText(errors, 'spec.group', group, dns1123Subdomain);
  for (const problem of dns1035Label(version)) errors.push(invalid('spec.version', version, problem));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority) {
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > maxVersionPriority) {
    errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  }
  if (service) checkBackend(errors, service, spec);
  else checkLocal(errors, spec);
  return errors;
}

function checkLocal(errors: FieldError[], { caBundle, insecureSkipTLSVerify }: t.APIServiceSpec): void {
  if (caBundle) errors.push(invalid('spec.caBundle', `${caBundle.length} bytes`, 'local APIServices may not have a caBundle'));
  if (insecureSkipTLSVerify) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
  }
}

function checkBackend(errors: FieldError[], service: t.ApiregistrationServiceReference, spec: t.APIServiceSpec): void {
  if (!service.namespace) errors.push(required('spec.service.namespace'));
  if (!service.name) errors.push(required('spec.service.name'));
  const port = service.port ?? defaultServicePort;
  if (port < 1 || port > maxPort) {
    errors.push(invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'));
  }
  if (spec.insecureSkipTLSVerify && spec.caBundle) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
}

function availableText({ status }: APIService): string {
  const condition = status?.conditions?.find((c) => c.type === 'Available');
  if (!condition) return 'Unknown';
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`;
}
