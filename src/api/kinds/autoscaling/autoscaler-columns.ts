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
      return resourceText(metric.resource, status?.resource?.current);
    case 'ContainerResource':
      return resourceText(metric.containerResource, status?.containerResource?.current);
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? unknown}/${metric.pods?.target.averageValue}`;
    case 'Object':
      return valueText(metric.object?.target, status?.object?.current);
    case 'External':
      return valueText(metric.external?.target, status?.external?.current);
    default:
      return '<unknown type>';
  }
}

function resourceText(source: t.ResourceMetricSourceV2 | undefined, current: t.MetricValueStatusV2 | undefined): string {
  const { averageValue, averageUtilization } = source?.target ?? {};
  if (averageValue !== undefined) return `${source?.name}: ${current?.averageValue ?? unknown}/${averageValue}`;
  const measured = current?.averageUtilization === undefined ? unknown : `${current.averageUtilization}%`;
  return `${source?.name}: ${measured}/${averageUtilization === undefined ? '<auto>' : `${averageUtilization}%`}`;
}

function valueText(target: t.MetricTargetV2 | undefined, current: t.MetricValueStatusV2 | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  return `${current?.value ?? unknown}/${target?.value}`;
}
