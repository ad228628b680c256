import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { Event } from '../core/event.ts';
import { validateEvent, validateModernEvent, validateModernEventUpdate } from '../core/event-validation.ts';
import { fromCoreEvent, toCoreEvent } from './conversion.ts';

export type EventsEvent = t.EventsEvent;
export const EventsEvent = defineKind<EventsEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  type: 'EventsEvent',
  storageResource: Event.storageResource,
  storageKind: Event,
  toStorage: toCoreEvent,
  fromStorage: (stored) => fromCoreEvent(stored as t.Event),
  lazy: true,
  allowCreateOnUpdate: true,
  validate: (event) => validateEvent(toCoreEvent(event), 'reportingController'),
  validateCreate: (event) => validateModernEvent(toCoreEvent(event)),
  validateUpdate: (next, previous) => validateModernEventUpdate(toCoreEvent(next), toCoreEvent(previous)),
  selectableFields: {
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  columns: Event.columns.map((column) => ({ ...column, cell: (event, nowMs) => column.cell(toCoreEvent(event), nowMs) })),
});
