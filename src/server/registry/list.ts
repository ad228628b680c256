import type { Kind } from '../../api/kind.ts';
import { badRequest, expired, StatusError } from '../../api/status-error.ts';
import { Compacted } from '../../storage/store.ts';
import { type ContinuePoint, decodeContinue, encodeContinue, inconsistent } from './continue-token.ts';
import type { ObjectEntry } from './object-index.ts';
import { compileMatcher, type ObjectMatcher, type Selectors } from './object-matcher.ts';
import { prefixOf } from './stored-form.ts';
import type { WriteDeps } from './write-deps.ts';

export interface ListRequest extends Selectors {
  readonly namespace?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

export interface ListPage {
  readonly revision: number;
  readonly entries: readonly ObjectEntry[];
  readonly continue?: string;
  readonly remaining?: number;
}

/** How long a list waits for a revision that the server has not seen yet. */
const futureRevisionTimeoutMs = 3000;
/**
 * How long the pages of a list show the moment of its first one. The history of a quiet server reaches back for hours; clients are told to count
 * on minutes, and upstream's compaction keeps that promise.
 */
const pagesMinutes = 5;
const minuteMs = 60_000;

type ListDeps = Pick<WriteDeps, 'objects' | 'clock'>;

/** A list as the API serves it: consistent pages, resourceVersion semantics (apiserver: pkg/storage/etcd3/store.go GetList). */
export async function listPage({ objects, clock }: ListDeps, kind: Kind, request: ListRequest): Promise<ListPage> {
  const matcher = compileMatcher(kind, request, (k, entry) => objects.decode(k, entry));
  const point = request.continue ? continuePoint(request) : undefined;
  const version = parseRevision(request.resourceVersion);
  const awaited = point?.revision ?? version;
  if (awaited !== undefined) await reachRevision(objects, awaited);
  const name = onlyName(kind, request, matcher);
  if (name && !point) {
    const entry = objects.entry(kind, { namespace: request.namespace, name });
    return { revision: objects.revision, entries: entry && matcher.matches!(entry) ? [entry] : [] };
  }
  const exact = request.resourceVersionMatch === 'Exact' || (version && request.limit && !request.resourceVersionMatch);
  const revision = point ? point.revision : exact ? version : undefined;
  // Any state will do for version 0; upstream then serves everything from its cache.
  const limit = version === 0 ? undefined : request.limit || undefined;
  // Whole minutes: whoever lists the same in the same minute gets the same bytes, which are then compressed once.
  const now = Math.floor(clock.now() / minuteMs);
  const minute = point?.minute ?? now;
  if (point && now - minute > pagesMinutes) throw expiredToken(point);
  return pageAt({
    ...{ objects, kind, request, matcher, point, limit, minute },
    revision: revision === inconsistent ? undefined : revision,
  });
}

function continuePoint(request: ListRequest): ContinuePoint {
  const point = decodeContinue(request.continue!);
  if (request.resourceVersion && request.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  return point;
}

function pageAt(options: {
  objects: ListDeps['objects'];
  kind: Kind;
  request: ListRequest;
  matcher: ObjectMatcher;
  point: ContinuePoint | undefined;
  minute: number;
  revision: number | undefined;
  limit: number | undefined;
}): ListPage {
  const { objects, kind, request, matcher, point, revision, limit, minute } = options;
  const prefix = prefixOf(kind, request.namespace);
  // The state of the moment, when it has a revision number of its own: the history need not reach back to it.
  const atRevision = revision === undefined || revision >= objects.revision ? undefined : revision;
  try {
    const page = objects.cache.page({
      prefix,
      ...(atRevision === undefined ? {} : { revision: atRevision }),
      ...(point ? { after: prefix + point.after } : {}),
      ...(limit === undefined ? {} : { limit }),
      ...(matcher.matches ? { match: matcher.matches } : {}),
    });
    const listed = revision ?? objects.revision;
    const last = page.entries.at(-1);
    const more = limit !== undefined && last && page.remaining > 0;
    if (!more) return { revision: listed, entries: page.entries };
    const token = encodeContinue({ revision: listed, after: last.key.slice(prefix.length), minute });
    return {
      revision: listed,
      entries: page.entries,
      continue: token,
      ...(matcher.matches ? {} : { remaining: page.remaining }),
    };
  } catch (error) {
    if (!(error instanceof Compacted)) throw error;
    throw point ? expiredToken(point) : expired('The resourceVersion for the provided list is too old.');
  }
}

function expiredToken(point: ContinuePoint): StatusError {
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    encodeContinue({ revision: inconsistent, after: point.after }),
  );
}

/** `metadata.name=x` in one namespace is a look-up. */
function onlyName(kind: Kind, request: ListRequest, matcher: ObjectMatcher): string | undefined {
  if (!matcher.name || request.resourceVersionMatch === 'Exact') return undefined;
  return kind.scope === 'Cluster' || request.namespace ? matcher.name : undefined;
}

/** Upstream counts in 64 bits without a sign. */
const maxRevision = 2n ** 64n - 1n;

/** Undefined = not given; 0 = any. Throws StatusError 400. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text) && BigInt(text) <= maxRevision) return Number(text);
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${/^\d+$/.test(text) ? 'value out of range' : 'invalid syntax'}`,
  );
}

/** Waits a moment for a revision that another server may have given; then 504 ResourceVersionTooLarge. */
export async function reachRevision(objects: ListDeps['objects'], revision: number): Promise<void> {
  if (revision <= objects.revision) return;
  try {
    await objects.cache.waitFor(revision, futureRevisionTimeoutMs);
  } catch (cause) {
    throw new StatusError({
      code: 504,
      reason: 'Timeout',
      message: `Timeout: Too large resource version: ${revision}, current: ${objects.revision}`,
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
      cause,
    });
  }
}
