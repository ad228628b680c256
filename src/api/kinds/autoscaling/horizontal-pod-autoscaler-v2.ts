import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { canonicalQuantity } from '../core/resource-list.ts';
import { statusSubresource } from '../subresources.ts';
import { autoscalerColumns } from './autoscaler-columns.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './autoscaler-validation.ts';

const defaultCpuUtilizationPercent = 80;
const defaultPeriodSeconds = 15;
const scaleUpPods = 4;
const scaleUpPercent = 100;
const scaleDownPercent = 100;

export type HorizontalPodAutoscalerV2 = t.HorizontalPodAutoscalerV2;
export const HorizontalPodAutoscalerV2 = defineKind<HorizontalPodAutoscalerV2>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  type: 'HorizontalPodAutoscalerV2',
  applyDefaults(hpa) {
    const spec = (hpa.spec ??= {} as t.HorizontalPodAutoscalerSpecV2);
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) {
      const target = { type: 'Utilization', averageUtilization: defaultCpuUtilizationPercent };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    for (const metric of spec.metrics) canonicalTargets(metric);
    if (!spec.behavior) return;
    spec.behavior.scaleUp = { ...scaleUp(), ...spec.behavior.scaleUp };
    spec.behavior.scaleDown = { ...scaleDown(), ...spec.behavior.scaleDown };
    for (const rules of [spec.behavior.scaleUp, spec.behavior.scaleDown]) {
      if (rules.tolerance !== undefined) rules.tolerance = canonicalQuantity(rules.tolerance);
    }
  },
  prepareForCreate(hpa) {
    hpa.status = { desiredReplicas: 0 };
  },
  validate: validateAutoscaler,
  validateStatusUpdate: validateAutoscalerStatus,
  columns: autoscalerColumns,
});

function canonicalTargets({ object, external, pods, resource, containerResource }: t.MetricSpecV2): void {
  for (const source of [object, external, pods, resource, containerResource]) {
    const target: t.MetricTargetV2 | undefined = source?.target;
    if (target?.value !== undefined) target.value = canonicalQuantity(target.value);
    if (target?.averageValue !== undefined) target.averageValue = canonicalQuantity(target.averageValue);
  }
}

/** Rules for what a behavior leaves open. The window of scale-down is the controller's setting. */
function scaleUp(): t.HPAScalingRulesV2 {
  return {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: scaleUpPods, periodSeconds: defaultPeriodSeconds },
      { type: 'Percent', value: scaleUpPercent, periodSeconds: defaultPeriodSeconds },
    ],
  };
}

function scaleDown(): t.HPAScalingRulesV2 {
  return {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: scaleDownPercent, periodSeconds: defaultPeriodSeconds }],
  };
}
