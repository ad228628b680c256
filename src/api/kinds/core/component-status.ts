import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { nameColumn } from '../../table/columns.ts';

/** Computed when asked for, never stored. */
export type ComponentStatus = t.ComponentStatus;
export const ComponentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  scope: 'Cluster',
  verbs: ['get', 'list'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', cell: statusText },
    { name: 'Message', type: 'string', cell: (component) => healthy(component)?.message ?? '' },
    { name: 'Error', type: 'string', cell: (component) => healthy(component)?.error ?? '' },
  ],
});

const healthy = ({ conditions }: ComponentStatus): t.ComponentCondition | undefined =>
  conditions?.find((c) => c.type === 'Healthy');

function statusText(component: ComponentStatus): string {
  const condition = healthy(component);
  if (!condition) return 'Unknown';
  return condition.status === 'True' ? 'Healthy' : 'Unhealthy';
}
