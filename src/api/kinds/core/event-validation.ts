import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { invalid, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { utf8Length } from '../../validation/object-meta.ts';

const maxNameLength = 128;
const maxNoteBytes = 1024;

/**
 * Of events in the classic form little is asked; with an eventTime they must say who reports what. `controllerField` is the name of the
 * reporting controller in the version of the request. kubernetes: pkg/apis/core/validation/events.go.
 */
export function validateEvent(event: t.Event, controllerField: string): FieldError[] {
  const errors: FieldError[] = [];
  const about = event.involvedObject?.namespace ?? '';
  const { namespace = '' } = event.metadata;
  const home = event.eventTime ? ['default', 'kube-system'] : ['default', ''];
  const isMismatch = about === '' ? !home.includes(namespace) : !event.eventTime && about !== namespace;
  if (isMismatch) errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  if (event.eventTime) checkReport(errors, event, controllerField);
  return errors;
}

function checkReport(errors: FieldError[], event: t.Event, controllerField: string): void {
  const controller = event.reportingComponent ?? '';
  if (!controller) errors.push(required(controllerField));
  for (const problem of qualifiedName(controller)) errors.push(invalid(controllerField, controller, problem));
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const text = event[field] ?? '';
    if (!text) errors.push(required(field));
    if (text.length > maxNameLength) errors.push(invalid(field, '', `can have at most ${maxNameLength} characters`));
  }
  if (utf8Length(event.message ?? '') > maxNoteBytes) {
    errors.push(invalid('message', '', `can have at most ${maxNoteBytes} characters`));
  }
}

/** What events.k8s.io asks of new events beyond that: no fields of the classic form. */
export function validateModernEvent(event: t.Event): FieldError[] {
  const errors: FieldError[] = [];
  checkSeries(errors, event.series);
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (event[field]) errors.push(invalid(field, '', 'needs to be unset'));
  }
  if (event.source?.component || event.source?.host) errors.push(invalid('source', '', 'needs to be unset'));
  return errors;
}

function checkSeries(errors: FieldError[], series: t.EventSeries | undefined): void {
  if (!series) return;
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

/** An event that happens again changes its series and nothing else. */
export function validateModernEventUpdate(next: t.Event, previous: t.Event): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticEqual(next.series, previous.series)) checkSeries(errors, next.series);
  for (const field of fixed) {
    const name = field === 'reportingComponent' ? 'reportingController' : field;
    if (typeof previous[field] === 'string') checkImmutable(errors, name, next[field] ?? '', previous[field]);
    else checkImmutable(errors, name, next[field], previous[field]);
  }
  return errors;
}
