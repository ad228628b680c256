import type { Kind } from '../../api/kind.ts';
import { apiVersionOf, type KubeObject } from '../../api/meta.ts';
import { internalError, StatusError } from '../../api/status-error.ts';
import type { Answer, Exchange, Sink } from '../http/exchange.ts';
import type { Representation } from '../http/negotiate.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { PreparedWatch, WatchType } from '../registry/watch.ts';
import type { HandlerDeps, Target } from './context.ts';
import { type WatchOptions, watchOptionsOf } from './options.ts';
import { partialMetadata } from './partial-metadata.ts';
import { representationOf, servedBytes } from './render.ts';
import { tableOf } from './table.ts';

/** A watcher that lets more than this pile up is too slow; its watch ends, and it goes on from where it was. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** Without timeoutSeconds a watch ends after this long and up to twice that, so that clients spread over servers. */
const minTimeoutSeconds = 1800;
const bookmarkIntervalMs = 60_000;
/** A last bookmark is sent this long before a watch times out. */
const bookmarkBeforeEndMs = 2_000;
const encoder = new TextEncoder();

/** WATCH of a collection: one JSON object per line until the time is over. */
export function handleWatch(deps: HandlerDeps, target: Target): Answer {
  const { exchange, kind, namespace, name } = target;
  const options = watchOptionsOf(exchange.query);
  const representation = representationOf(exchange);
  const { labelSelector } = options;
  const fieldSelector = options.fieldSelector ?? (name ? `metadata.name=${name}` : undefined);
  const watch = deps.registry.watch(kind, { namespace, labelSelector, fieldSelector });
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    run(sink) {
      new WatchStream({ deps, exchange, kind, options, representation, watch, sink }).start();
    },
  };
}

interface StreamOptions {
  readonly deps: HandlerDeps;
  readonly exchange: Exchange;
  readonly kind: Kind;
  readonly options: WatchOptions;
  readonly representation: Representation;
  readonly watch: PreparedWatch;
  readonly sink: Sink;
}

/** One running watch: what exists already (with back-pressure), then changes as they happen (with a bounded buffer). */
class WatchStream {
  readonly #o: StreamOptions;
  readonly #encoder: EventEncoder;
  #pending: Uint8Array[] = [];
  #flushing = false;
  #ended = false;
  #unsubscribe: (() => void) | undefined;
  #cancelTimers: (() => void)[] = [];
  #bookmarked = 0;

  constructor(options: StreamOptions) {
    this.#o = options;
    this.#encoder = new EventEncoder(options);
  }

  start(): void {
    const { sink, options } = this.#o;
    sink.onClose(() => this.#release());
    this.#startTimers();
    if (options.sendInitialEvents) this.#sendInitial();
    else if (options.after) this.#follow(options.after);
    else if (options.sendInitialEvents === undefined) this.#sendInitial();
    else this.#follow(this.#o.deps.registry.deps.objects.revision);
  }

  #startTimers(): void {
    const { clock } = this.#o.deps;
    const seconds = this.#o.options.timeoutSeconds || minTimeoutSeconds * (1 + Math.random());
    this.#cancelTimers.push(clock.after(seconds * 1000, () => this.#end()));
    if (!this.#o.options.bookmarks) return;
    if (seconds * 1000 > bookmarkBeforeEndMs) {
      this.#cancelTimers.push(clock.after(seconds * 1000 - bookmarkBeforeEndMs, () => this.#bookmark(true)));
    }
    this.#armBookmark();
  }

  #armBookmark(): void {
    const cancel = this.#o.deps.clock.after(bookmarkIntervalMs, () => {
      this.#cancelTimers = this.#cancelTimers.filter((c) => c !== cancel);
      if (this.#ended) return;
      this.#bookmark(false);
      this.#armBookmark();
    });
    this.#cancelTimers.push(cancel);
  }

  /** Tells the client how far it is, when the store has moved on since it last heard of it. */
  #bookmark(last: boolean): void {
    const revision = this.#o.deps.registry.deps.objects.revision;
    if (this.#ended || this.#unsubscribe === undefined) return;
    if (revision <= this.#bookmarked && !last) return;
    this.#bookmarked = revision;
    this.#send(this.#encoder.bookmark(revision, false));
  }

  #sendInitial(): void {
    const { options, watch } = this.#o;
    const { revision, entries } = watch.initial();
    let at = 0;
    const sendSome = (): void => {
      while (at < entries.length) {
        if (this.#ended) return;
        const entry = entries[at++]!;
        if (!this.#o.sink.write(this.#encoder.event('ADDED', entry, entry.revision))) {
          this.#o.sink.onDrain(sendSome);
          return;
        }
      }
      if (this.#ended) return;
      if (options.sendInitialEvents && options.bookmarks) {
        this.#bookmarked = revision;
        this.#o.sink.write(this.#encoder.bookmark(revision, true));
      }
      this.#follow(revision);
    };
    sendSome();
  }

  #follow(after: number): void {
    try {
      this.#unsubscribe = this.#o.watch.follow(after, (type, entry, revision) => this.#onChange(type, entry, revision));
      if (this.#ended) this.#release();
    } catch (error) {
      const status = error instanceof StatusError ? error : internalError(error);
      this.#send(encoder.encode(`{"type":"ERROR","object":${JSON.stringify(status.toStatus())}}\n`));
      this.#end();
    }
  }

  #onChange(type: WatchType, entry: ObjectEntry, revision: number): void {
    if (this.#ended) return;
    this.#send(this.#encoder.event(type, entry, revision));
  }

  /** Collects what happens in one turn of the event loop and writes it at once. */
  #send(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    this.#o.sink.write(pending.length === 1 ? pending[0]! : Buffer.concat(pending));
    if (this.#o.sink.bufferedBytes > maxBufferedBytes) this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#flush();
    this.#release();
    this.#o.sink.end();
  }

  #release(): void {
    this.#ended = true;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers = [];
  }
}

/** Turns changes into lines of a watch. */
class EventEncoder {
  readonly #o: StreamOptions;
  #columnsSent = false;

  constructor(options: StreamOptions) {
    this.#o = options;
  }

  event(type: WatchType, entry: ObjectEntry, revision: number): Uint8Array {
    const { representation, kind, deps } = this.#o;
    if (representation.as === 'object') {
      const served = servedBytes(kind, entry, revision, true);
      if (served) return deps.eventLines.line(type, entry, revision, served);
    }
    const object = withRevision(deps.registry.deps.objects.decode(kind, entry), revision);
    return encoder.encode(`{"type":"${type}","object":${JSON.stringify(this.#represent(object))}}\n`);
  }

  bookmark(revision: number, initialEventsEnd: boolean): Uint8Array {
    const { kind, representation } = this.#o;
    const metadata = {
      resourceVersion: String(revision),
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
    const shown = representation.as === 'object' ? object : this.#represent(object as unknown as KubeObject, true);
    return encoder.encode(`{"type":"BOOKMARK","object":${JSON.stringify(shown)}}\n`);
  }

  #represent(object: KubeObject, bookmark = false): unknown {
    const { representation, kind, deps, exchange } = this.#o;
    const { as, metaVersion } = representation;
    if (as === 'object') return object;
    if (as !== 'Table') return partialMetadata(object, metaVersion);
    const { resourceVersion } = object.metadata;
    const include = exchange.query.get('includeObject');
    const objects = bookmark ? [] : [object];
    const table = tableOf({ kind, objects, metadata: { resourceVersion }, nowMs: deps.clock.now(), metaVersion, include });
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
