import type { FieldErrorReason } from '../../api/field-error.ts';
import { badRequest, StatusError } from '../../api/status-error.ts';
import type { ListRequest } from '../registry/list.ts';
import { parseRevision } from '../registry/list.ts';

/** A wrong query parameter, as upstream reports it: 422 about `<ListOptions|…>.meta.k8s.io ""`. */
export function invalidOption(optionsKind: string, field: string, reason: FieldErrorReason, message: string): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${optionsKind}.meta.k8s.io "" is invalid: ${field}: ${message}`,
    details: { group: 'meta.k8s.io', kind: optionsKind, causes: [{ reason, message, field }] },
  });
}

function forbiddenOption(field: string, why: string): StatusError {
  return invalidOption('ListOptions', field, 'FieldValueForbidden', `Forbidden: ${why}`);
}

/** Query parameters of lists, checked (apimachinery: pkg/apis/meta/internalversion/validation/validation.go). */
export function listRequestOf(query: URLSearchParams, namespace: string | undefined): ListRequest {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  checkVersionMatch(query, false);
  return {
    namespace,
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    limit: integerOption(query, 'limit'),
    continue: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
  };
}

export interface WatchOptions {
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  /** Undefined and 0: start with what exists. */
  readonly after: number | undefined;
  readonly bookmarks: boolean;
  /** Undefined: as resourceVersion says. */
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

/** Query parameters of watches, checked. */
export function watchOptionsOf(query: URLSearchParams): WatchOptions {
  checkVersionMatch(query, true);
  return {
    labelSelector: query.get('labelSelector') || undefined,
    fieldSelector: query.get('fieldSelector') || undefined,
    after: parseRevision(query.get('resourceVersion') ?? undefined),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
    timeoutSeconds: integerOption(query, 'timeoutSeconds'),
  };
}

function checkVersionMatch(query: URLSearchParams, watch: boolean): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  if (!watch && initial !== null) throw forbiddenOption('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  if (watch) {
    if (initial === null) {
      if (match)
        throw forbiddenOption(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        );
      return;
    }
    if (match !== 'NotOlderThan') {
      throw forbiddenOption('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
    }
    return;
  }
  if (!match) return;
  if (query.get('continue'))
    throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
  if (!version)
    throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    const message = `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`;
    throw invalidOption('ListOptions', 'resourceVersionMatch', 'FieldValueNotSupported', message);
  }
  if (match === 'Exact' && version === '0') {
    throw forbiddenOption('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}

/** A whole number ≥ 0, undefined when absent. Throws StatusError 400. */
export function integerOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Math.max(0, Number(text));
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}
