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
    // Whether it has one depends on what annotations say.
    const target = fromV2(toV2(hpa)).spec.targetCPUUtilizationPercentage;
    if (target !== undefined) hpa.spec.targetCPUUtilizationPercentage = target;
  },
  prepareForCreate: (hpa, context) => throughV2(hpa, (v2) => HorizontalPodAutoscalerV2.prepareForCreate(v2, context)),
  prepareForUpdate(next, previous, context) {
    throughV2(next, (v2) => HorizontalPodAutoscalerV2.prepareForUpdate(v2, toV2(previous), context));
  },
  prepareForStatusUpdate(next, previous, context) {
    throughV2(next, (v2) => HorizontalPodAutoscalerV2.prepareForStatusUpdate(v2, toV2(previous), context));
  },
  validate: (hpa) => validateAutoscaler(toV2(hpa)),
  validateStatusUpdate: (hpa) => validateAutoscalerStatus(toV2(hpa)),
  columns: HorizontalPodAutoscalerV2.columns.map((column) => ({
    ...column,
    cell: (hpa, nowMs) => column.cell(toV2(hpa), nowMs),
  })),
});

/** Does to an object of v1 what v2 does: also what v1 says in annotations is set back where the server owns it. */
function throughV2(hpa: HorizontalPodAutoscaler, change: (hpa: HorizontalPodAutoscalerV2) => void): void {
  const v2 = toV2(hpa);
  change(v2);
  Object.assign(hpa, fromV2(v2));
}
