import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { statusSubresource } from '../subresources.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './autoscaler-validation.ts';
import { fromV2, toV2 } from './conversion.ts';
import { HorizontalPodAutoscalerV2 } from './horizontal-pod-autoscaler-v2.ts';

export type HorizontalPodAutoscaler = t.HorizontalPodAutoscaler;
export const HorizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  storageKind: HorizontalPodAutoscalerV2,
  toStorage: toV2,
  fromStorage: (stored) => fromV2(stored as t.HorizontalPodAutoscalerV2),
  applyDefaults(hpa) {
    hpa.spec ??= {} as t.HorizontalPodAutoscalerSpec;
    hpa.spec.minReplicas ??= 1;
  },
  prepareForCreate(hpa) {
    hpa.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validate: (hpa) => validateAutoscaler(toV2(hpa)),
  validateStatusUpdate: (hpa) => validateAutoscalerStatus(toV2(hpa)),
  columns: HorizontalPodAutoscalerV2.columns.map((column) => ({
    ...column,
    cell: (hpa, nowMs) => column.cell(toV2(hpa), nowMs),
  })),
});
