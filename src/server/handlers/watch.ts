import { parseFieldSelector, requiredFieldValue } from '../../api/selectors/field-selector.ts';
import { badRequest, internalError, StatusError } from '../../api/status-error.ts';
import type { Answer, Sink } from '../http/exchange.ts';
import { onlyStreamTypes } from '../http/negotiate.ts';
import { reachRevision } from '../registry/list.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { PreparedWatch, WatchType } from '../registry/watch.ts';
import type { HandlerDeps, Target } from './context.ts';
import { EventEncoder } from './event-encoder.ts';
import type { GatheringStream } from './flush-queue.ts';
import { includeObjectOf, type WatchOptions, watchOptionsOf } from './options.ts';
import { representationOf } from './render.ts';
import type { WatchSeries } from './watch-metrics.ts';

/** More than this is written without waiting for the end of the turn. */
const maxPendingBytes = 128 * 1024;
/** Without timeoutSeconds a watch ends after this long and up to twice that, so that clients spread over servers. */
const minTimeoutSeconds = 1800;
/** A last bookmark is sent this long before a watch times out. */
const bookmarkBeforeEndMs = 2_000;
/** How long a client may take for the last of a watch that has ended. */
const lastBytesMs = 30_000;

/** WATCH of a collection: one JSON object per line until the time is over. */
export async function handleWatch(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange, true);
  const options = watchOptionsOf(exchange.query);
  if (representation.format === 'yaml') throw onlyStreamTypes();
  const contentType = representation.format === 'json' ? 'application/json' : 'application/vnd.kubernetes.protobuf;stream=watch';
  const include = representation.as === 'Table' ? includeObjectOf(exchange.query) : 'Metadata';
  const { labelSelector } = options;
  const fieldSelector = selecting(name, options.fieldSelector);
  const watch = deps.registry.watch(kind, { namespace, labelSelector, fieldSelector });
  if (options.sendInitialEvents && options.after) await reachRevision(deps.registry.deps.objects, options.after);
  const encoder = new EventEncoder(deps, { kind, representation, include });
  const series = deps.watchMetrics.of(kind, namespace, options.sendInitialEvents === true);
  return {
    status: 200,
    headers: { 'content-type': contentType, 'cache-control': 'no-cache, private' },
    run(sink) {
      new WatchStream({ deps, watch, encoder, sink, bookmarks: options.bookmarks, series }).start(options);
    },
  };
}

/** The name is what the watch was authorized for: a selector must demand it too (apiserver: pkg/endpoints/handlers/get.go listOpts). Throws StatusError 400. */
function selecting(name: string, selector: string | undefined): string | undefined {
  if (!name) return selector;
  if (!selector) return `metadata.name=${name.replace(/[\\,=]/g, '\\$&')}`;
  if (requiredFieldValue(parseFieldSelector(selector), 'metadata.name') === name) return selector;
  throw badRequest("fieldSelector metadata.name doesn't match requested name");
}

interface StreamParts {
  readonly deps: HandlerDeps;
  readonly watch: PreparedWatch;
  readonly encoder: EventEncoder;
  readonly sink: Sink;
  readonly bookmarks: boolean;
  readonly series: WatchSeries;
}

/** One running watch: what exists already (with back-pressure), then changes as they happen (with a bounded buffer). */
class WatchStream implements GatheringStream {
  writtenIn = 0;
  readonly #deps: HandlerDeps;
  readonly #watch: PreparedWatch;
  readonly #encoder: EventEncoder;
  readonly #sink: Sink;
  readonly #bookmarks: boolean;
  readonly #series: WatchSeries;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isQueued = false;
  #ended = false;
  #bookmarked = 0;
  #unsubscribe: (() => void) | undefined;
  #cancelEnd: (() => void) | undefined;
  #cancelBookmarks: (() => void) | undefined;

  constructor({ deps, watch, encoder, sink, bookmarks, series }: StreamParts) {
    this.#deps = deps;
    this.#watch = watch;
    this.#encoder = encoder;
    this.#sink = sink;
    this.#bookmarks = bookmarks;
    this.#series = series;
  }

  start({ timeoutSeconds, sendInitialEvents, after }: WatchOptions): void {
    this.#sink.onClose(() => {
      this.#release();
      this.#deps.watches.slow.forget(this);
    });
    this.#startTimers((timeoutSeconds || minTimeoutSeconds * (1 + Math.random())) * 1000);
    // Upstream takes a watch from the start for one that asks for the initial events.
    if (sendInitialEvents ?? !after) this.#sendInitial();
    else this.#follow(after || this.#revision);
  }

  get #revision(): number {
    return this.#deps.registry.deps.objects.revision;
  }

  #startTimers(timeoutMs: number): void {
    const { clock, watches } = this.#deps;
    const endAfter = (ms: number): void => {
      this.#cancelEnd = clock.after(ms, () => this.#end());
    };
    if (!this.#bookmarks) {
      endAfter(timeoutMs);
      return;
    }
    this.#cancelBookmarks = watches.bookmarks.add(() => this.#bookmark(false));
    if (timeoutMs <= bookmarkBeforeEndMs) {
      endAfter(timeoutMs);
      return;
    }
    this.#cancelEnd = clock.after(timeoutMs - bookmarkBeforeEndMs, () => {
      this.#bookmark(true);
      endAfter(bookmarkBeforeEndMs);
    });
  }

  /** Tells the client how far it is, when the store has moved on since it last heard of it. */
  #bookmark(last: boolean): void {
    const revision = this.#revision;
    if (this.#ended || this.#unsubscribe === undefined) return;
    if (revision <= this.#bookmarked && !last) return;
    this.#bookmarked = revision;
    this.#send(this.#encoder.bookmark(revision, false));
  }

  #sendInitial(): void {
    const startedAtMs = this.#deps.clock.monotonicMs();
    const { revision, entries } = this.#watch.initial();
    let at = 0;
    const sendSome = (): void => {
      while (at < entries.length) {
        if (this.#ended) return;
        const entry = entries[at++]!;
        this.#gather(this.#encoder.event('ADDED', entry, entry.revision));
        if (this.#pendingBytes > maxPendingBytes && !this.#writeInitial(sendSome)) return;
      }
      if (this.#ended) return;
      if (this.#bookmarks) {
        this.#bookmarked = revision;
        this.#gather(this.#encoder.bookmark(revision, true));
      }
      this.#writeInitial();
      this.#series.listed?.((this.#deps.clock.monotonicMs() - startedAtMs) / 1000);
      this.#follow(revision);
    };
    sendSome();
  }

  /** Writes what has been gathered of what was there; false when the client should be given time: then `goOn` is called when it has it. */
  #writeInitial(goOn?: () => void): boolean {
    const bytes = this.#pendingBytes;
    if (this.#write()) return true;
    const { slow } = this.#deps.watches;
    slow.waitsFor(this, bytes, () => this.#sink.abort());
    this.#sink.onDrain(() => {
      slow.taken(this);
      goOn?.();
    });
    return false;
  }

  #follow(after: number): void {
    try {
      this.#unsubscribe = this.#watch.follow(after, (type, entry, revision) => this.#onChange(type, entry, revision));
      if (this.#ended) this.#release();
    } catch (error) {
      const status = error instanceof StatusError ? error : internalError(error);
      this.#send(this.#encoder.error(status));
      this.#end();
    }
  }

  #onChange(type: WatchType, entry: ObjectEntry, revision: number): void {
    if (!this.#ended) this.#send(this.#encoder.event(type, entry, revision));
  }

  /** Has it written soon, together with what else happens until then. */
  #send(bytes: Uint8Array): void {
    this.#gather(bytes);
    if (this.#pendingBytes > maxPendingBytes) this.#writeBounded();
    if (this.#isQueued) return;
    this.#isQueued = true;
    this.#deps.watches.flushes.add(this);
  }

  flush(): void {
    this.#isQueued = false;
    this.#writeBounded();
  }

  #gather(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #writeBounded(): void {
    this.#write();
    if (!this.#deps.watches.slow.isTooSlow(this, this.#sink.bufferedBytes)) return;
    this.#series.tooSlow();
    this.#end();
  }

  /** Writes what has been gathered; false when the client should be given time. */
  #write(): boolean {
    const pending = this.#pending;
    if (pending.length === 0 || this.#ended) return true;
    this.#series.sent.value += pending.length;
    this.#pending = [];
    this.#pendingBytes = 0;
    return this.#sink.write(this.#deps.watches.flushes.joined(pending));
  }

  #end(): void {
    if (this.#ended) return;
    this.#write();
    this.#release();
    // What is still on its way takes memory until the client has it.
    this.#sink.onClose(this.#deps.clock.after(lastBytesMs, () => this.#sink.abort()));
    this.#sink.end();
  }

  #release(): void {
    this.#ended = true;
    this.#pending = [];
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#cancelEnd?.();
    this.#cancelBookmarks?.();
  }
}
