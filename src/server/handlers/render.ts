import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Exchange, FullAnswer } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import { negotiate, type Representation, unacceptable, wantsPretty } from '../http/negotiate.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { includeObjectOf } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { copyInto, servedBytes, sizeOf } from './served-bytes.ts';
import { tableOf } from './table.ts';

const jsonHeaders = { 'content-type': 'application/json' };

/** What a client wants of one object, from its headers. `streams`: the path is one that can be watched. Throws StatusError 406. */
export function representationOf(exchange: Exchange, streams = false): Representation {
  return negotiate(header(exchange, 'accept'), true, streams);
}

/** True when the client wants compact JSON, of whatever shape. */
export function wantsCompactJson(exchange: Exchange, { format }: Representation): boolean {
  return format === 'json' && !wantsPretty(exchange.query, header(exchange, 'user-agent'));
}

/** Answers with a durable entry, without decoding it where possible. */
export function entryAnswer(
  objects: ObjectStore,
  exchange: Exchange,
  kind: Kind,
  entry: ObjectEntry,
  options: { representation: Representation; nowMs: number },
): FullAnswer {
  const bytes = bytesAnswer(exchange, 200, kind, entry, options.representation);
  return bytes ?? objectAnswer(exchange, 200, kind, objects.decode(kind, entry), options);
}

/** Answers with what a write resulted in: with the bytes that were written, where possible, and not serialized once more. */
export function writtenAnswer(
  objects: ObjectStore,
  exchange: Exchange,
  kind: Kind,
  result: { readonly object: KubeObject; readonly created: boolean },
  options: { representation: Representation; nowMs: number },
): FullAnswer {
  const { object } = result;
  const status = result.created ? 201 : 200;
  const entry = objects.entryOf(kind, object);
  const bytes = entry && bytesAnswer(exchange, status, kind, entry, options.representation);
  return bytes ?? objectAnswer(exchange, status, kind, object, options);
}

/** Undefined when the client wants something else than the bytes of the entry. */
function bytesAnswer(
  exchange: Exchange,
  status: number,
  kind: Kind,
  entry: ObjectEntry,
  representation: Representation,
): FullAnswer | undefined {
  if (representation.as !== 'object' || !wantsCompactJson(exchange, representation)) return undefined;
  const served = servedBytes(kind, entry, entry.revision, true);
  if (!served) return undefined;
  const body = Buffer.allocUnsafe(sizeOf(served));
  copyInto(body, 0, served);
  return { status, headers: { ...jsonHeaders }, parts: [body] };
}

/** Answers with an object in the representation the client asked for. */
export function objectAnswer(
  exchange: Exchange,
  status: number,
  kind: Kind,
  object: KubeObject,
  options: { representation: Representation; nowMs: number },
): FullAnswer {
  return valueAnswer(exchange, status, represent(exchange, kind, object, options));
}

function represent(
  exchange: Exchange,
  kind: Kind,
  object: KubeObject,
  options: { representation: Representation; nowMs: number },
): unknown {
  const { as, metaVersion } = options.representation;
  if (as === 'object') return object;
  if (as === 'Table') {
    const include = includeObjectOf(exchange.query);
    const { resourceVersion } = object.metadata;
    return tableOf({ kind, objects: [object], metadata: { resourceVersion }, nowMs: options.nowMs, metaVersion, include });
  }
  if (as === 'PartialObjectMetadataList') {
    throw unacceptable(`you requested ${as}, but the requested object is not a list (${goType(kind, kind.kind)})`);
  }
  return partialMetadata(object, metaVersion);
}

/** The type upstream gives a kind, or the list of a kind. */
export function goType(kind: Kind, name: string): string {
  const group = kind.group === 'events.k8s.io' ? '' : kind.group;
  return `*${(group || 'core').split('.', 1)[0]}.${name}`;
}
