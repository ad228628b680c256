import type { FieldError, FieldErrorReason } from '../../api/field-error.ts';
import { badRequest, invalid, StatusError } from '../../api/status-error.ts';
import { forbidden, notSupported } from '../../api/validation/errors.ts';
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

/** All that is wrong with the query parameters of one request. */
export function refuseWrong(optionsKind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', plural: '', kind: optionsKind }, '', errors);
}

/** `All` is the only way to run dry. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];
}

/** Query parameters of lists, checked (apimachinery: pkg/apis/meta/internalversion/validation/validation.go). */
export function listRequestOf(query: URLSearchParams, namespace: string | undefined): ListRequest {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const limit = integerOption(query, 'limit');
  integerOption(query, 'timeoutSeconds');
  checkList(query);
  return {
    namespace,
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    limit,
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
  const timeoutSeconds = integerOption(query, 'timeoutSeconds');
  integerOption(query, 'limit');
  checkWatch(query);
  return {
    labelSelector: query.get('labelSelector') || undefined,
    fieldSelector: query.get('fieldSelector') || undefined,
    after: parseRevision(query.get('resourceVersion') ?? undefined),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
    timeoutSeconds,
  };
}

const forbiddenMatch = (why: string): FieldError => forbidden('resourceVersionMatch', `resourceVersionMatch ${why}`);

function checkList(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const errors: FieldError[] = [];
  if (match) {
    if (!version) errors.push(forbiddenMatch('is forbidden unless resourceVersion is provided'));
    if (query.get('continue')) errors.push(forbiddenMatch('is forbidden when continue is provided'));
    const known = ['Exact', 'NotOlderThan', ''];
    if (!known.includes(match)) errors.push(notSupported('resourceVersionMatch', match, known));
    if (match === 'Exact' && version === '0') errors.push(forbiddenMatch('"exact" is forbidden for resourceVersion "0"'));
  }
  if (query.has('sendInitialEvents')) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  refuseWrong('ListOptions', errors);
}

function checkWatch(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.has('sendInitialEvents');
  const errors: FieldError[] = [];
  const needsMatch = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  if (initial && match !== 'NotOlderThan') errors.push(forbidden('resourceVersionMatch', needsMatch));
  if (match) {
    if (!initial) errors.push(forbiddenMatch('is forbidden for watch unless sendInitialEvents is provided'));
    if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
  }
  // A watch from the start is one with initial events, and so one with a match.
  const fromStart = !initial && !match && ['', '0'].includes(query.get('resourceVersion') ?? '');
  if ((match || fromStart) && query.get('continue')) errors.push(forbiddenMatch('is forbidden when continue is provided'));
  refuseWrong('ListOptions', errors);
}

/** How much of the objects the rows of a table carry. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The `includeObject` parameter of tables; Metadata when absent. Throws StatusError 400. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '') return 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const error = `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${error}`);
}

/** Whatever is not a word for no means yes (apimachinery: pkg/runtime/conversion.go). */
export function isTrue(value: string | null): boolean {
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

const maxInteger = 2n ** 63n - 1n;

/** A whole number of 64 bits, at least 0, undefined when absent. Throws StatusError 400. */
export function integerOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const parsing = `strconv.ParseInt: parsing ${JSON.stringify(text)}`;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`${parsing}: invalid syntax`);
  const value = BigInt(text.replace('+', ''));
  if (value > maxInteger || value < -maxInteger - 1n) throw badRequest(`${parsing}: value out of range`);
  return Math.max(0, Number(value));
}
