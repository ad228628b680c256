import type * as t from '../../generated/types.ts';

/** `events.k8s.io/v1` Event → the stored `v1` Event. Both say the same with other field names. */
export function toCoreEvent(event: t.EventsEvent): t.Event {
  const { note, regarding, reportingController } = event;
  const { deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedSource } = event;
  return {
    ...common(event),
    kind: 'Event',
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    ...(note === undefined ? {} : { message: note }),
    ...(deprecatedSource === undefined ? {} : { source: deprecatedSource }),
    ...(deprecatedFirstTimestamp === undefined ? {} : { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp === undefined ? {} : { lastTimestamp: deprecatedLastTimestamp }),
    ...(deprecatedCount === undefined ? {} : { count: deprecatedCount }),
    ...(reportingController === undefined ? {} : { reportingComponent: reportingController }),
  };
}

/** The stored `v1` Event → `events.k8s.io/v1` Event. */
export function fromCoreEvent(event: t.Event): t.EventsEvent {
  const { message, source, firstTimestamp, lastTimestamp, count, reportingComponent } = event;
  return {
    ...(common(event) as object),
    // A required field here: zero is said.
    ...(event.series ? { series: { ...event.series, count: event.series.count ?? 0 } as t.EventsEventSeries } : {}),
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata: event.metadata,
    // A required field that classic events do not have: upstream serves an explicit null.
    eventTime: (event.eventTime ?? null) as string,
    regarding: event.involvedObject,
    ...(message === undefined ? {} : { note: message }),
    ...(source === undefined ? {} : { deprecatedSource: source }),
    ...(firstTimestamp === undefined ? {} : { deprecatedFirstTimestamp: firstTimestamp }),
    ...(lastTimestamp === undefined ? {} : { deprecatedLastTimestamp: lastTimestamp }),
    ...(count === undefined ? {} : { deprecatedCount: count }),
    ...(reportingComponent ? { reportingController: reportingComponent } : {}),
  };
}

/** The fields that have the same name in both. */
function common(event: t.Event | t.EventsEvent): Pick<t.Event, 'metadata'> & Partial<t.Event> {
  const { metadata, action, eventTime, reason, related, reportingInstance, series, type } = event;
  return {
    metadata,
    ...(action === undefined ? {} : { action }),
    ...(eventTime ? { eventTime } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(related === undefined ? {} : { related }),
    ...(reportingInstance ? { reportingInstance } : {}),
    ...(series === undefined ? {} : { series }),
    ...(type === undefined ? {} : { type }),
  };
}
