import { lookup } from '../../../lib/lookup.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkNonNegative, checkText, requireText } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Label, pathSegment } from '../../validation/names.ts';
import { checkContainerResourceName, nanos } from '../../validation/quantities.ts';

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const targetTypes = ['Utilization', 'Value', 'AverageValue'];
const maxWindowSeconds = 3600;
const maxPeriodSeconds = 1800;

/** Names of the fields that hold the source of each type of metric. */
const sourceFields: Readonly<Record<string, keyof t.MetricSpecV2>> = lookup({
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
});

/** kubernetes: pkg/apis/autoscaling/validation/validation.go. */
export function validateAutoscaler({ spec }: t.HorizontalPodAutoscalerV2): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (!maxReplicas) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'));
  if (minReplicas !== undefined && (maxReplicas ?? 0) < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas ?? 0, 'must be greater than or equal to `minReplicas`'));
  }
  // Of the core group only ReplicationControllers scale.
  checkReference(errors, 'spec.scaleTargetRef', scaleTargetRef, scaleTargetRef?.kind === 'ReplicationController');
  const scalesFromZero = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (minReplicas === 0 && !scalesFromZero) {
    const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
    errors.push(forbidden('spec.metrics', detail));
  }
  metrics.forEach((metric, i) => {
    checkMetric(errors, `spec.metrics[${i}]`, metric);
  });
  if (behavior?.scaleUp) checkRules(errors, 'spec.behavior.scaleUp', behavior.scaleUp);
  if (behavior?.scaleDown) checkRules(errors, 'spec.behavior.scaleDown', behavior.scaleDown);
  return errors;
}

function checkReference(
  errors: FieldError[],
  at: string,
  reference: t.CrossVersionObjectReferenceV2 | undefined,
  mayBeCore: boolean,
): void {
  requireText(errors, `${at}.kind`, reference?.kind, pathSegment);
  requireText(errors, `${at}.name`, reference?.name, pathSegment);
  const version = reference?.apiVersion ?? '';
  if (version.split('/').length > 2) {
    errors.push(invalid(`${at}.apiVersion`, version, `unexpected GroupVersion string: ${version}`));
  } else if (!version.includes('/') && !mayBeCore) {
    errors.push(invalid(`${at}.apiVersion`, version, 'apiVersion must specify API group'));
  }
}

function checkMetric(errors: FieldError[], at: string, metric: t.MetricSpecV2): void {
  if (!metric.type) {
    errors.push(required(`${at}.type`, 'must specify a metric source type'));
    errors.push(notSupported(`${at}.type`, '', metricTypes));
    return;
  }
  const field = sourceFields[metric.type];
  if (!field) {
    errors.push(notSupported(`${at}.type`, metric.type, metricTypes));
    return;
  }
  if (!metric[field]) errors.push(required(`${at}.${field}`, 'must populate information for the given metric source'));
  for (const other of Object.values(sourceFields)) {
    if (other !== field && metric[other]) {
      errors.push(forbidden(`${at}.${other}`, 'must populate the given metric source only'));
    }
  }
  checkSource(errors, at, metric);
}

function checkSource(errors: FieldError[], at: string, metric: t.MetricSpecV2): void {
  const { object, external, pods, resource, containerResource } = metric;
  if (object) {
    checkReference(errors, `${at}.object.describedObject`, object.describedObject, true);
    checkIdentifier(errors, `${at}.object.metric`, object.metric);
    checkTarget(errors, `${at}.object.target`, object.target);
    if (object.target?.value === undefined && object.target?.averageValue === undefined) {
      errors.push(required(`${at}.object.target.averageValue`, 'must set either a target value or averageValue'));
    }
  }
  if (external) {
    checkIdentifier(errors, `${at}.external.metric`, external.metric);
    checkTarget(errors, `${at}.external.target`, external.target);
    if (external.target?.value === undefined && external.target?.averageValue === undefined) {
      const detail = 'must set either a target value for metric or a per-pod target';
      errors.push(required(`${at}.external.target.averageValue`, detail));
    }
    if (external.target?.value && external.target.averageValue) {
      const detail = 'may not set both a target value for metric and a per-pod target';
      errors.push(forbidden(`${at}.external.target.value`, detail));
    }
  }
  if (pods) {
    checkIdentifier(errors, `${at}.pods.metric`, pods.metric);
    checkTarget(errors, `${at}.pods.target`, pods.target);
    if (pods.target?.averageValue === undefined) {
      errors.push(required(`${at}.pods.target.averageValue`, 'must specify a positive target averageValue'));
    }
  }
  if (resource) checkResource(errors, `${at}.resource`, resource);
  if (containerResource) {
    checkResource(errors, `${at}.containerResource`, containerResource);
    if (containerResource.name) {
      checkContainerResourceName(errors, `${at}.containerResource.name`, containerResource.name);
    }
    if (!containerResource.container) {
      errors.push(required(`${at}.containerResource.container`, 'must specify a container'));
    } else checkText(errors, `${at}.containerResource.container`, containerResource.container, dns1123Label);
  }
}

function checkResource(errors: FieldError[], at: string, source: t.ResourceMetricSourceV2): void {
  if (!source.name) errors.push(required(`${at}.name`, 'must specify a resource name'));
  checkTarget(errors, `${at}.target`, source.target);
  const { averageUtilization, averageValue } = source.target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(required(`${at}.target.averageUtilization`, detail));
  } else if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(forbidden(`${at}.target.averageValue`, detail));
  }
}

function checkIdentifier(errors: FieldError[], at: string, metric: t.MetricIdentifierV2 | undefined): void {
  if (!metric?.name) errors.push(required(`${at}.name`, 'must specify a metric name'));
  else for (const problem of pathSegment(metric.name)) errors.push(invalid(`${at}.name`, metric.name, problem));
}

function checkTarget(errors: FieldError[], at: string, target: t.MetricTargetV2 | undefined): void {
  const { type, value, averageValue, averageUtilization } = target ?? { type: '' };
  if (!type) errors.push(required(`${at}.type`, 'must specify a metric target type'));
  if (!targetTypes.includes(type)) {
    errors.push(invalid(`${at}.type`, type ?? '', 'must be either Utilization, Value, or AverageValue'));
  }
  if (value !== undefined && nanos(value) <= 0n) errors.push(invalid(`${at}.value`, value, 'must be positive'));
  if (averageValue !== undefined && nanos(averageValue) <= 0n) {
    errors.push(invalid(`${at}.averageValue`, averageValue, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}

function checkRules(errors: FieldError[], at: string, rules: t.HPAScalingRulesV2): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules;
  if (window !== undefined && window < 0) {
    errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  } else if (window !== undefined && window > maxWindowSeconds) {
    errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, `must be less than or equal to ${maxWindowSeconds}`));
  }
  const selections = ['Disabled', 'Max', 'Min'];
  if (selectPolicy !== undefined && !selections.includes(selectPolicy)) {
    errors.push(notSupported(`${at}.selectPolicy`, selectPolicy, selections));
  }
  if (policies.length === 0) errors.push(required(`${at}.policies`, 'must specify at least one Policy'));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const field = `${at}.policies[${i}]`;
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${field}.type`, type ?? '', ['Percent', 'Pods']));
    if (!(value > 0)) errors.push(invalid(`${field}.value`, value ?? 0, 'must be greater than zero'));
    if (!(periodSeconds > 0)) errors.push(invalid(`${field}.periodSeconds`, periodSeconds ?? 0, 'must be greater than zero'));
    else if (periodSeconds > maxPeriodSeconds) {
      errors.push(invalid(`${field}.periodSeconds`, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`));
    }
  });
}

export function validateAutoscalerStatus({ status }: t.HorizontalPodAutoscalerV2): FieldError[] {
  const errors: FieldError[] = [];
  checkNonNegative(errors, 'status.currentReplicas', status?.currentReplicas);
  checkNonNegative(errors, 'status.desiredReplicas', status?.desiredReplicas);
  return errors;
}
