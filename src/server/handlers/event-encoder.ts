import { encodeProtobuf, protobufEvent } from '../../api/codec/encode-protobuf.ts';
import type { Kind } from '../../api/kind.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';
import type { StatusError } from '../../api/status-error.ts';
import type { Representation } from '../http/negotiate.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { WatchType } from '../registry/watch.ts';
import type { HandlerDeps } from './context.ts';
import type { IncludeObject } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { bookmarkTable, tableOf } from './table.ts';

const encoder = new TextEncoder();

export interface EventFormat {
  readonly kind: Kind;
  readonly representation: Representation;
  /** What each row of a table carries besides its cells. */
  readonly include: IncludeObject;
}

/** Turns changes into lines of a watch. */
export class EventEncoder {
  readonly #deps: HandlerDeps;
  readonly #format: EventFormat;
  #columnsSent = false;

  constructor(deps: HandlerDeps, format: EventFormat) {
    this.#deps = deps;
    this.#format = format;
  }

  event(type: WatchType, entry: ObjectEntry, revision: number): Uint8Array {
    const { representation, kind } = this.#format;
    const { watches, registry } = this.#deps;
    if (representation.format === 'json' && representation.as !== 'Table') {
      const metaVersion = representation.as === 'object' ? undefined : representation.metaVersion;
      const line = watches.lines.of({ kind, metaVersion, type, entry, revision });
      if (line) return line;
    }
    const object = withRevision(registry.deps.objects.decode(kind, entry), revision);
    return this.#encoded(type, this.#represent(object));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, representation } = this.#format;
    const metadata = {
      resourceVersion: String(revision),
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
    const shown = representation.as === 'object' ? object : this.#represent(object as unknown as KubeObject, true);
    return this.#encoded('BOOKMARK', shown);
  }

  /** What ends a watch that cannot go on. */
  error(status: StatusError): Uint8Array {
    return this.#encoded('ERROR', status.toStatus());
  }

  #encoded(type: string, object: unknown): Uint8Array {
    const message = this.#format.representation.format === 'protobuf' ? encodeProtobuf(object) : undefined;
    return message ? protobufEvent(type, message) : encoder.encode(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
  }

  #represent(object: KubeObject, bookmark = false): unknown {
    const { representation, kind, include } = this.#format;
    const { as, metaVersion } = representation;
    if (as === 'object') return object;
    if (as !== 'Table') return partialMetadata(object, metaVersion);
    const { resourceVersion } = object.metadata;
    const options = { kind, metadata: { resourceVersion }, metaVersion, include };
    const table = bookmark
      ? bookmarkTable(object, options)
      : tableOf({ ...options, objects: [object], nowMs: this.#deps.clock.now() });
    if (this.#columnsSent) return { ...table, columnDefinitions: null };
    this.#columnsSent = !bookmark;
    return table;
  }
}

/** A DELETED event carries the last state with the revision of the deletion. */
function withRevision(object: KubeObject, revision: number): KubeObject {
  const resourceVersion = String(revision);
  if (object.metadata.resourceVersion === resourceVersion) return object;
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
