import type { Event, ObjectReference } from '../api/generated/types.ts';
import { Event as EventKind } from '../api/kinds/core/event.ts';
import type { KubeObject } from '../api/meta.ts';
import { timestamp } from '../api/timestamp.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Client } from './client.ts';

export type EventType = 'Normal' | 'Warning';

/** Tells people what happened to an object. Never fails and never waits: an event that cannot be written is dropped. */
export interface EventRecorder {
  event(about: KubeObject | ObjectReference, type: EventType, reason: string, message: string, action?: string): void;
  /** Resolves when everything recorded so far has been written or dropped. */
  flush(): Promise<void>;
}

/** Kinds of events remembered in order to count repeats. */
const rememberedLimit = 2048;
/** Events waiting to be written; further ones are dropped. */
const queueLimit = 500;
/** Events one object may cause at once; upstream's spam filter (client-go tools/record/events_cache.go). */
const burstPerObject = 25;
/** One more event per object is allowed each time this has passed. */
const refillMs = 300_000;
/** More different messages than this for one reason are told as one "combined" event. */
const distinctMessagesLimit = 10;
const combineWithinMs = 600_000;

interface Remembered {
  readonly name: string;
  readonly namespace: string;
  count: number;
  exists: boolean;
}

interface Budget {
  tokens: number;
  refilledAt: number;
}

interface Messages {
  readonly seen: Set<string>;
  lastAt: number;
}

/** A recorder that writes core/v1 Events for `component`. `host` is set by node agents. */
export function createEventRecorder(deps: {
  client: Client;
  clock: Clock;
  log: Logger;
  component: string;
  host?: string;
}): EventRecorder {
  return new CountingRecorder(deps);
}

class CountingRecorder implements EventRecorder {
  readonly #deps: Parameters<typeof createEventRecorder>[0];
  readonly #remembered = new BoundedMap<Remembered>(rememberedLimit);
  readonly #budgets = new BoundedMap<Budget>(rememberedLimit);
  readonly #messages = new BoundedMap<Messages>(rememberedLimit);
  readonly #queue: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;

  constructor(deps: Parameters<typeof createEventRecorder>[0]) {
    this.#deps = deps;
  }

  event(about: KubeObject | ObjectReference, type: EventType, reason: string, message: string, action?: string): void {
    const object = referenceTo(about);
    const objectId = `${object.uid ?? ''}/${object.kind}/${object.namespace ?? ''}/${object.name}/${object.fieldPath ?? ''}`;
    if (!this.#spend(objectId) || this.#queue.length >= queueLimit) return;
    const text = this.#combine(`${objectId}\n${type}\n${reason}`, message);
    this.#queue.push(() =>
      this.#write(`${objectId}\n${type}\n${reason}\n${text}`, { object, type, reason, message: text, action }),
    );
    this.#writing ??= this.#drain();
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Token bucket per object. */
  #spend(objectId: string): boolean {
    const now = this.#deps.clock.now();
    const budget = this.#budgets.get(objectId) ?? { tokens: burstPerObject, refilledAt: now };
    this.#budgets.set(objectId, budget);
    const refill = Math.floor((now - budget.refilledAt) / refillMs);
    if (refill > 0) {
      budget.tokens = Math.min(burstPerObject, budget.tokens + refill);
      budget.refilledAt += refill * refillMs;
    }
    if (budget.tokens < 1) return false;
    budget.tokens--;
    return true;
  }

  #combine(group: string, message: string): string {
    const now = this.#deps.clock.now();
    let messages = this.#messages.get(group);
    if (!messages || now - messages.lastAt > combineWithinMs) messages = { seen: new Set(), lastAt: now };
    messages.lastAt = now;
    this.#messages.set(group, messages);
    if (messages.seen.has(message)) return message;
    if (messages.seen.size >= distinctMessagesLimit) return `(combined from similar events): ${message}`;
    messages.seen.add(message);
    return message;
  }

  async #drain(): Promise<void> {
    // The caller goes on first: recording is never in its way.
    await Promise.resolve();
    for (let write = this.#queue.shift(); write; write = this.#queue.shift()) {
      try {
        await write();
      } catch (error) {
        this.#deps.log.debug('an event was dropped', { error });
      }
    }
    this.#writing = undefined;
  }

  async #write(
    id: string,
    told: { object: ObjectReference; type: EventType; reason: string; message: string; action: string | undefined },
  ): Promise<void> {
    const { client, clock } = this.#deps;
    const at = timestamp(clock.now());
    const known = this.#remembered.get(id);
    if (known?.exists) {
      known.count++;
      try {
        const body = { count: known.count, lastTimestamp: at };
        await client.patch(EventKind, { namespace: known.namespace, name: known.name }, { type: 'merge', body });
        return;
      } catch {
        // It has expired: tell it anew, with the count it had.
        known.exists = false;
      }
    }
    const count = known?.count ?? 1;
    const event = this.#compose(told, at, count);
    const created = await client.create(EventKind, event);
    const { namespace = 'default', name } = created.metadata;
    this.#remembered.set(id, { name, namespace, count, exists: true });
  }

  #compose(
    told: { object: ObjectReference; type: EventType; reason: string; message: string; action: string | undefined },
    at: string,
    count: number,
  ): Omit<Event, 'apiVersion' | 'kind' | 'metadata'> & { metadata: { name: string; namespace: string } } {
    const { object, action, ...rest } = told;
    const { component, host, clock } = this.#deps;
    const suffix = BigInt(Math.round(clock.now() * 1e6 + Math.random() * 1e6)).toString(16);
    return {
      metadata: { name: `${object.name}.${suffix}`, namespace: object.namespace ?? 'default' },
      involvedObject: object,
      ...rest,
      ...(action ? { action } : {}),
      source: { component, ...(host ? { host } : {}) },
      reportingComponent: component,
      reportingInstance: host ?? '',
      firstTimestamp: at,
      lastTimestamp: at,
      count,
    };
  }
}

/** The reference by which events name an object. */
function referenceTo(about: KubeObject | ObjectReference): ObjectReference {
  if (!('metadata' in about)) return about;
  const { apiVersion, kind } = about;
  const { namespace, name, uid, resourceVersion } = about.metadata;
  return { apiVersion, kind, name, uid, resourceVersion, ...(namespace ? { namespace } : {}) };
}

/** A map that forgets what was set longest ago when it is full. */
class BoundedMap<V> {
  readonly #limit: number;
  readonly #entries = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!);
  }
}
