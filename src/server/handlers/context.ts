import type { FieldValidation } from '../../api/codec/decode-body.ts';
import type { FieldError } from '../../api/field-error.ts';
import type { Kind } from '../../api/kind.ts';
import { managerName } from '../../api/managed-fields/track-update.ts';
import { notSupported, tooLong } from '../../api/validation/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Exchange } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import type { KindTable } from '../registry/kind-table.ts';
import type { ResourceRegistry } from '../registry/resource-registry.ts';
import type { ListCache } from './list-cache.ts';
import { dryRunErrors, refuseWrong } from './options.ts';
import type { SharedByWatches } from './shared-by-watches.ts';
import type { WatchMetrics } from './watch-metrics.ts';

/** What the verb handlers share. */
export interface HandlerDeps {
  readonly registry: ResourceRegistry;
  readonly kinds: KindTable;
  readonly authorizer: Authorizer;
  readonly watchMetrics: WatchMetrics;
  /** Told of requests for kinds that are deprecated. */
  readonly onDeprecated: (kind: Kind, subresource: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watches: SharedByWatches;
  readonly lists: ListCache;
}

/** A request for a known kind. */
export interface Target {
  readonly exchange: Exchange;
  readonly kind: Kind;
  /** Undefined for cluster-scoped kinds and for requests over all namespaces. */
  readonly namespace: string | undefined;
  readonly name: string;
}

const maxFieldManagerLength = 128;

/**
 * Who calls and how, from query parameters and headers. `optionsKind` is named when a parameter is wrong; all that are wrong are named at
 * once (apimachinery: pkg/apis/meta/v1/validation/validation.go). `dryRun` is given where it may come from elsewhere.
 */
export function callOf(exchange: Exchange, optionsKind: string, dryRun = exchange.query.getAll('dryRun')): Call {
  const { query } = exchange;
  const manager = query.get('fieldManager') ?? '';
  const hasFields = optionsKind !== 'DeleteOptions' && optionsKind !== 'ConnectOptions';
  const errors = hasFields
    ? [managerErrors(manager), dryRunErrors(dryRun), fieldValidationErrors(query)]
    : [dryRunErrors(dryRun)];
  refuseWrong(optionsKind, errors.flat());
  return {
    user: exchange.user,
    fieldManager: managerName(manager, utf8(header(exchange, 'user-agent') ?? '')),
    dryRun: dryRun.length > 0,
    pauses: (bytes) => exchange.pauses(bytes),
    warn: (message) => exchange.warnings.add(message),
  };
}

/** A header as its client wrote it: Node.js makes a character of each byte. */
function utf8(header: string): string {
  return /[\x80-\xff]/.test(header) ? Buffer.from(header, 'latin1').toString('utf8') : header;
}

function managerErrors(name: string): FieldError[] {
  const errors = name.length > maxFieldManagerLength ? [tooLong('fieldManager', maxFieldManagerLength)] : [];
  const found = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(name);
  if (!found) return errors;
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  const position = Buffer.byteLength(name.slice(0, found.index));
  const message = `Invalid value: ${goQuoted(name)}: invalid character U+${code} (at position ${position})`;
  return [...errors, { reason: 'FieldValueInvalid', field: 'fieldManager', message }];
}

const goEscapes: Readonly<Record<string, string>> = { '07': '\\a', '0b': '\\v' };

/** Text as Go quotes it: control characters look another way than in JSON. */
function goQuoted(text: string): string {
  return JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, (_, hex: string) => goEscapes[hex] ?? `\\x${hex}`);
}

const validations: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];

function fieldValidationErrors(query: URLSearchParams): FieldError[] {
  const value = query.get('fieldValidation') ?? '';
  return validations.includes(value) ? [] : [notSupported('fieldValidation', value, validations)];
}

/** The `fieldValidation` parameter; Warn when absent. */
export function fieldValidationOf(query: URLSearchParams, optionsKind: string): FieldValidation {
  refuseWrong(optionsKind, fieldValidationErrors(query));
  return (query.get('fieldValidation') || 'Warn') as FieldValidation;
}
