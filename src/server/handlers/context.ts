import type { FieldValidation } from '../../api/codec/decode-body.ts';
import type { Kind } from '../../api/kind.ts';
import { managerName } from '../../api/managed-fields/track-update.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Counter } from '../../lib/metrics.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Exchange } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import type { KindTable } from '../registry/kind-table.ts';
import type { ResourceRegistry } from '../registry/resource-registry.ts';
import type { ListCache } from './list-cache.ts';
import { invalidOption } from './options.ts';
import type { SharedByWatches } from './shared-by-watches.ts';

/** What the verb handlers share. */
export interface HandlerDeps {
  readonly registry: ResourceRegistry;
  readonly kinds: KindTable;
  readonly authorizer: Authorizer;
  /** By group, version and resource. */
  readonly watchEvents: Counter;
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

/** Who calls and how, from query parameters and headers. `optionsKind` is named when a parameter is wrong. */
export function callOf(exchange: Exchange, optionsKind: string, bodyDryRun?: readonly string[]): Call {
  const { query } = exchange;
  const dryRun = query.has('dryRun') ? query.getAll('dryRun') : (bodyDryRun ?? []);
  for (const value of dryRun) {
    if (value === 'All') continue;
    throw invalidOption(
      optionsKind,
      'dryRun',
      'FieldValueNotSupported',
      `Unsupported value: [${quoteAll(dryRun)}]: supported values: "All"`,
    );
  }
  const given = query.get('fieldManager') ?? '';
  if (given.length > maxFieldManagerLength) {
    const message = `Too long: may not be more than ${maxFieldManagerLength} bytes`;
    throw invalidOption(optionsKind, 'fieldManager', 'FieldValueTooLong', message);
  }
  const problem = unprintable(given);
  if (problem) throw invalidOption(optionsKind, 'fieldManager', 'FieldValueInvalid', problem);
  return {
    user: exchange.user,
    fieldManager: managerName(given, header(exchange, 'user-agent') ?? ''),
    dryRun: dryRun.length > 0,
    warn: (message) => exchange.warnings.add(message),
  };
}

/** What is wrong with the characters of a manager's name. */
function unprintable(name: string): string | undefined {
  const found = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(name);
  if (!found) return undefined;
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  const position = Buffer.byteLength(name.slice(0, found.index));
  return `Invalid value: ${JSON.stringify(name)}: invalid character U+${code} (at position ${position})`;
}

function quoteAll(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

/** The `fieldValidation` parameter; Warn when absent. */
export function fieldValidationOf(query: URLSearchParams, optionsKind: string): FieldValidation {
  const value = query.get('fieldValidation') ?? '';
  if (value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`;
  throw invalidOption(optionsKind, 'fieldValidation', 'FieldValueNotSupported', message);
}
