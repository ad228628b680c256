import type * as t from '../../generated/types.ts';
import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, none, unknown, unset } from '../../table/columns.ts';

const shownMetrics = 2;

export const autoscalerColumns: readonly Column<t.HorizontalPodAutoscalerV2>[] = [
  nameColumn,
  { name: 'Reference', type: 'string', cell: ({ spec }) => `${spec?.scaleTargetRef?.kind}/${spec?.scaleTargetRef?.name}` },
  { name: 'Targets', type: 'string', cell: metricsText },
  { name: 'MinPods', type: 'string', cell: ({ spec }) => String(spec?.minReplicas ?? unset) },
  { name: 'MaxPods', type: 'string', cell: ({ spec }) => spec?.maxReplicas ?? 0 },
  { name: 'Replicas', type: 'string', cell: ({ status }) => status?.currentReplicas ?? 0 },
  ageColumn,
];

/** `cpu: 12%/80%, 5/10 (avg) + 1 more...`: what is measured against what is wanted. */
function metricsText({ spec, status }: t.HorizontalPodAutoscalerV2): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return none;
  const texts = metrics.slice(0, shownMetrics).map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const more = metrics.length - shownMetrics;
  return more > 0 ? `${texts.join(', ')} + ${more} more...` : texts.join(', ');
}

function metricText(metric: t.MetricSpecV2, status: t.MetricStatusV2 | undefined): string {
  switch (metric.type) {
    case 'Resource':
      return resourceText(metric.resource, status?.resource);
    case 'ContainerResource':
      return resourceText(metric.containerResource, status?.containerResource);
    case 'Pods':
      return `${measured(status?.pods, 'averageValue')}/${metric.pods?.target.averageValue}`;
    case 'Object':
      return valueText(metric.object?.target, status?.object);
    case 'External':
      return valueText(metric.external?.target, status?.external);
    default:
      return '<unknown type>';
  }
}

type Measured = { readonly current: t.MetricValueStatusV2 } | undefined;

/** A quantity that was measured: `<unknown>` where nothing was, upstream's `<nil>` where something else was. */
function measured(status: Measured, field: 'value' | 'averageValue'): string {
  return status ? String(status.current?.[field] ?? '<nil>') : unknown;
}

function resourceText(source: t.ResourceMetricSourceV2 | undefined, status: Measured): string {
  const { averageValue, averageUtilization } = source?.target ?? {};
  if (averageValue !== undefined) return `${source?.name}: ${measured(status, 'averageValue')}/${averageValue}`;
  const utilization = status?.current?.averageUtilization;
  const current = utilization === undefined ? unknown : `${utilization}%`;
  return `${source?.name}: ${current}/${averageUtilization === undefined ? '<auto>' : `${averageUtilization}%`}`;
}

function valueText(target: t.MetricTargetV2 | undefined, status: Measured): string {
  const average = status?.current?.averageValue;
  if (target?.averageValue !== undefined) return `${average ?? unknown}/${target.averageValue} (avg)`;
  return `${measured(status, 'value')}/${target?.value}`;
}
