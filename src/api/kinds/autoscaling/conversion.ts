import type * as t from '../../generated/types.ts';
import { behaviorText, parseBehavior } from './behavior-form.ts';
import { flatSpec, flatStatus, nestedSpec, nestedStatus } from './metric-forms.ts';

/** Where autoscaling/v1 keeps what its fields cannot say (kubernetes: pkg/apis/autoscaling/annotations.go). */
const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics';
const currentMetricsAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics';
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';
const behaviorAnnotation = 'autoscaling.alpha.kubernetes.io/behavior';
const carriers = [metricsAnnotation, currentMetricsAnnotation, conditionsAnnotation, behaviorAnnotation];
const defaultCpuUtilizationPercent = 80;

/** autoscaling/v1 → v2, the stored form. The annotations that carry v2-only content become fields. */
export function toV2(hpa: t.HorizontalPodAutoscaler): t.HorizontalPodAutoscalerV2 {
  const annotations = hpa.metadata.annotations ?? {};
  const { targetCPUUtilizationPercentage: target, ...spec } = hpa.spec ?? {};
  const { currentCPUUtilizationPercentage: current, currentReplicas, ...status } = hpa.status ?? {};
  const metrics = (parsed<object[]>(annotations[metricsAnnotation]) ?? []).map((m) => nestedSpec(m as never));
  if (target !== undefined) metrics.push(cpuUtilization(target));
  if (metrics.length === 0) metrics.push(cpuUtilization(defaultCpuUtilizationPercent));
  const behavior = parsed(annotations[behaviorAnnotation], parseBehavior);
  const conditions = parsed<t.HorizontalPodAutoscalerConditionV2[]>(annotations[conditionsAnnotation])?.map(timed);
  const detailed = parsed<object[]>(annotations[currentMetricsAnnotation])?.map((m) => nestedStatus(m as never));
  const currentMetrics = detailed ?? (current === undefined ? undefined : [currentCpuUtilization(current)]);
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(hpa.metadata, without(annotations)),
    spec: { ...spec, metrics, ...(behavior ? { behavior } : {}) },
    status: {
      ...(currentReplicas ? { currentReplicas } : {}),
      ...status,
      ...(currentMetrics ? { currentMetrics } : {}),
      ...(conditions ? { conditions } : {}),
    } as t.HorizontalPodAutoscalerStatusV2,
  };
}

/** autoscaling/v2 → v1. What v1 has no field for goes into annotations. */
export function fromV2(hpa: t.HorizontalPodAutoscalerV2): t.HorizontalPodAutoscaler {
  const { metrics = [], behavior, ...spec } = hpa.spec ?? {};
  const { currentMetrics = [], conditions = [], ...status } = hpa.status ?? {};
  const target = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const others = metrics.filter((m) => !isCpuUtilization(m));
  const current = currentMetrics.findLast((m) => m.type === 'Resource' && m.resource?.name === 'cpu')?.resource?.current;
  const annotations = without(hpa.metadata.annotations ?? {});
  if (others.length > 0) annotations[metricsAnnotation] = JSON.stringify(others.map(flatSpec));
  if (currentMetrics.length > 0) annotations[currentMetricsAnnotation] = JSON.stringify(currentMetrics.map(flatStatus));
  if (behavior) annotations[behaviorAnnotation] = behaviorText(behavior);
  if (conditions.length > 0) annotations[conditionsAnnotation] = JSON.stringify(conditions.map(conditionForm));
  return {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(hpa.metadata, annotations),
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...status,
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas ?? 0,
      ...(current?.averageUtilization === undefined ? {} : { currentCPUUtilizationPercentage: current.averageUtilization }),
    },
  };
}

/** A time of null is none. */
function timed({ lastTransitionTime, ...condition }: t.HorizontalPodAutoscalerConditionV2): t.HorizontalPodAutoscalerConditionV2 {
  return lastTransitionTime ? { ...condition, lastTransitionTime } : condition;
}

function conditionForm({ type, status, lastTransitionTime, ...why }: t.HorizontalPodAutoscalerConditionV2): object {
  return { type, status, lastTransitionTime: lastTransitionTime ?? null, ...why };
}

function isCpuUtilization(metric: t.MetricSpecV2): boolean {
  return (
    metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target?.averageUtilization !== undefined
  );
}

function cpuUtilization(percent: number): t.MetricSpecV2 {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } };
}

function currentCpuUtilization(percent: number): t.MetricStatusV2 {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percent } } };
}

/** Annotations are free text: one that is not JSON says nothing. */
function parsed<T>(text: string | undefined, parse: (text: string) => T = JSON.parse): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function without(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !carriers.includes(key)));
}

function withAnnotations(metadata: t.ObjectMeta, annotations: Record<string, string>): t.ObjectMeta {
  const { annotations: _, ...rest } = metadata;
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest;
}
