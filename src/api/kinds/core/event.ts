import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { nameColumn } from '../../table/columns.ts';
import { age } from '../../table/duration.ts';
import { validateEvent } from './event-validation.ts';

export type Event = t.Event;
export const Event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  freeFinalizers: true,
  lazy: true,
  allowCreateOnUpdate: true,
  applyDefaults(event) {
    event.involvedObject ??= {};
    event.metadata ??= {} as t.ObjectMeta;
  },
  validate: (event) => validateEvent(event, 'reportingComponent'),
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject?.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject?.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject?.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject?.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  columns: [
    { name: 'Last Seen', type: 'string', cell: lastSeen },
    { name: 'Type', type: 'string', cell: (event) => event.type ?? '' },
    { name: 'Reason', type: 'string', cell: (event) => event.reason ?? '' },
    { name: 'Object', type: 'string', cell: objectText },
    { name: 'Subobject', type: 'string', priority: 1, cell: (event) => event.involvedObject?.fieldPath ?? '' },
    { name: 'Source', type: 'string', priority: 1, cell: sourceText },
    { name: 'Message', type: 'string', cell: (event) => event.message?.trim() ?? '' },
    { name: 'First Seen', type: 'string', priority: 1, cell: firstSeen },
    { name: 'Count', type: 'string', priority: 1, cell: ({ series, count }) => (series ? (series.count ?? 0) : count || 1) },
    { ...nameColumn, priority: 1 },
  ],
});

function firstSeen(event: Event, nowMs: number): string {
  return age(event.firstTimestamp || event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series?.lastObservedTime) return age(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? age(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function objectText({ involvedObject = {} }: Event): string {
  const kind = (involvedObject.kind ?? '').toLowerCase();
  return involvedObject.name ? `${kind}/${involvedObject.name}` : kind;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const instance = source?.host || reportingInstance || '';
  return instance ? `${component}, ${instance}` : component;
}
