import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { invalid, required } from '../../validation/errors.ts';
import { checkQuotaResourceName, checkResourceQuantity, keyed, nanos } from '../../validation/quantities.ts';
import { statusSubresource } from '../subresources.ts';
import { canonicalResources } from './resource-list.ts';

const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const conflicts = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const podCountResources = ['pods'];
const computeResources = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory', 'pods'];

export type ResourceQuota = t.ResourceQuota;
export const ResourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  returnsDeletedObject: true,
  applyDefaults(quota) {
    quota.spec ??= {};
    canonicalResources(quota.spec.hard);
    canonicalResources(quota.status?.hard);
    canonicalResources(quota.status?.used);
  },
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkAmounts(errors, 'spec.hard', spec.hard);
    if (spec.scopes) checkScopes(errors, 'spec.scopes', spec.scopes, spec);
    if (spec.scopeSelector) checkSelector(errors, spec.scopeSelector, spec);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.scopes', [...(next.spec.scopes ?? [])].sort(), [...(previous.spec.scopes ?? [])].sort());
    return errors;
  },
  validateStatusUpdate({ status = {} }) {
    const errors: FieldError[] = [];
    checkAmounts(errors, 'status.hard', status.hard);
    checkAmounts(errors, 'status.used', status.used);
    return errors;
  },
  warnings: quotaWarnings,
  columns: [
    nameColumn,
    { name: 'Request', type: 'string', cell: (quota) => usageText(quota, false) },
    { name: 'Limit', type: 'string', cell: (quota) => usageText(quota, true) },
    ageColumn,
  ],
});

function checkAmounts(errors: FieldError[], field: string, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const resource in amounts) {
    const at = keyed(field, resource);
    checkQuotaResourceName(errors, at, resource);
    checkResourceQuantity(errors, at, resource, amounts[resource] ?? '');
  }
}

function checkScopes(errors: FieldError[], field: string, list: readonly string[], spec: t.ResourceQuotaSpec): void {
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(invalid(field, list, 'unsupported scope'));
    for (const resource in spec.hard) {
      if (!mayScope(scope, resource)) errors.push(invalid(field, list, 'unsupported scope applied to resource'));
    }
  }
  if (conflicts.some((pair) => pair.every((scope) => list.includes(scope)))) {
    errors.push(invalid(field, list, 'conflicting scopes'));
  }
}

/** Scopes are properties of pods: other things cannot be counted by them. */
function mayScope(scope: string, resource: string): boolean {
  const isCompute = computeResources.includes(resource);
  switch (scope) {
    case 'BestEffort':
      return podCountResources.includes(resource) || !isKnownObject(resource, isCompute);
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return isCompute || !isKnownObject(resource, isCompute);
    default:
      return true;
  }
}

const objects = [
  'services',
  'secrets',
  'configmaps',
  'resourcequotas',
  'replicationcontrollers',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
  'requests.storage',
];

const isKnownObject = (resource: string, isCompute: boolean): boolean => isCompute || objects.includes(resource);

const existsOnly = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];

function checkSelector(errors: FieldError[], selector: t.ScopeSelector, spec: t.ResourceQuotaSpec): void {
  const field = 'spec.scopeSelector.matchExpressions';
  const expressions = selector.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.includes(scopeName)) errors.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
    for (const resource in spec.hard) {
      if (!mayScope(scopeName, resource)) errors.push(invalid(field, selector, 'unsupported scope applied to resource'));
    }
    if (existsOnly.includes(scopeName) && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(`${field}.operator`, operator, detail));
    }
    checkOperator(errors, field, operator, values);
  }
  const names = expressions.map((e) => e.scopeName);
  if (conflicts.some((pair) => pair.every((scope) => names.includes(scope)))) {
    errors.push(invalid(field, spec.scopes ?? null, 'conflicting scopes'));
  }
}

function checkOperator(errors: FieldError[], field: string, operator: string, values: readonly string[]): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return;
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    errors.push(required(`${field}.values`, detail));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length === 0) return;
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    errors.push(invalid(`${field}.values`, values, detail));
  } else errors.push(invalid(`${field}.operator`, operator ?? '', 'not a valid selector operator'));
}

/** `cpu: 1/2, pods: 3/10`: what is used of what there is, limits apart from the rest. */
function usageText({ status = {} }: ResourceQuota, limits: boolean): string {
  const resources = Object.keys(status.hard ?? {}).filter((resource) => resource.startsWith('limits') === limits);
  return resources
    .sort()
    .map((resource) => `${resource}: ${status.used?.[resource] ?? '0'}/${status.hard?.[resource]}`)
    .join(', ');
}

/** More asked for than may be used. */
function quotaWarnings({ spec }: ResourceQuota, previous?: ResourceQuota): string[] {
  if (previous) return [];
  const hard = spec?.hard ?? {};
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((resource) => {
    const isCompute = resource === 'cpu' || resource === 'memory';
    const request = hard[`requests.${resource}`] === undefined && isCompute ? resource : `requests.${resource}`;
    const limit = `limits.${resource}`;
    if (hard[request] === undefined || hard[limit] === undefined || nanos(hard[request]) <= nanos(hard[limit])) return [];
    return [`ResourceQuota ${request} (${hard[request]}) should be less than ${limit} (${hard[limit]})`];
  });
}
