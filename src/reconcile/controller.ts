import type { Kind } from '../api/kind.ts';
import type { KubeObject } from '../api/meta.ts';
import { isStatus } from '../api/status-error.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { Informer } from '../client/informer.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Identity } from '../client/loopback-client.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import { WorkQueue, type WorkQueueObserver } from '../lib/workqueue.ts';
import { type InformerLookup, kindId, OwnWrites } from './own-writes.ts';
import type { InformerOf, Watch } from './watches.ts';

/** What a reconcile works with. */
export interface ReconcileContext {
  /** Acts under the controller's own identity; its writes are waited for before the key is reconciled again. */
  readonly client: Client;
  /** The live objects of a kind the controller watches. */
  readonly informer: InformerOf;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Reconcile this key again in `delayMs`, unless it is reconciled earlier anyway. */
  requeueAfter(delayMs: number): void;
}

export interface ControllerDefinition {
  /** Lower case with dashes. */
  readonly name: string;
  /** The service account in kube-system it acts as; `<name>-controller` when absent. */
  readonly account?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a list of watches of different kinds; each is only called with objects of its own kind.
  readonly watches: readonly Watch<any>[];
  /** Where keys come from besides the watches. Called once those are in step; returns what ends it. */
  readonly subscribe?: (enqueue: (key: string) => void, informer: InformerOf) => () => void;
  /** Keys worked on at the same time; 2 when absent. */
  readonly concurrency?: number;
  /**
   * Brings the world nearer to what the object `key` asks for. Level-driven: called for a key, not for an event; the object may be gone.
   * A rejection brings the key back after a back-off.
   */
  reconcile(key: string, context: ReconcileContext): Promise<void>;
}

export interface ControllerDeps {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who observes the queue of a controller. */
  readonly observe?: (queue: string) => WorkQueueObserver;
}

const retry = { initialMs: 50, maxMs: 5 * 60_000, jitter: 0.1 };
const defaultConcurrency = 2;
/** How long a key waits for its own writes to show up before it is reconciled all the same. */
const ownWritesPatienceMs = 30_000;

/** States a controller; the identity function that gives it its type. */
export function defineController(definition: ControllerDefinition): ControllerDefinition {
  return definition;
}

/** The user a controller acts as. */
export function identityOf({ name, account = `${name}-controller` }: Pick<ControllerDefinition, 'name' | 'account'>): Identity {
  return {
    name: `system:serviceaccount:kube-system:${account}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  };
}

/** Runs a controller: informers → keys → one reconcile per key at a time, behind the own-writes guard. */
export function createController(definition: ControllerDefinition, deps: ControllerDeps): Component & ControllerProbe {
  return new Controller(definition, deps);
}

/** What tests may ask of a running controller. */
export interface ControllerProbe {
  /** Keys waiting for a worker. */
  readonly queueLength: number;
  /** Puts a key into the queue. */
  enqueue(key: string): void;
}

class Controller implements Component, ControllerProbe {
  readonly name: string;
  readonly #definition: ControllerDefinition;
  readonly #deps: ControllerDeps;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  readonly #ownWrites = new Map<string, OwnWrites>();
  /** Keys that wait for their own writes to show up. */
  readonly #waiting = new Set<string>();
  readonly #queue: WorkQueue;
  readonly #cleanups: (() => void)[] = [];

  constructor(definition: ControllerDefinition, deps: ControllerDeps) {
    this.name = definition.name;
    this.#definition = definition;
    this.#deps = deps;
    this.#queue = new WorkQueue({
      work: (key) => this.#reconcile(key),
      concurrency: definition.concurrency ?? defaultConcurrency,
      backoff: retry,
      clock: deps.clock,
      onError: (key, error, retryMs) => this.#failed(key, error, retryMs),
      observer: deps.observe?.(definition.name),
    });
  }

  get queueLength(): number {
    return this.#queue.size;
  }

  enqueue(key: string): void {
    this.#queue.add(key);
  }

  async start(): Promise<void> {
    const { informers } = this.#deps;
    for (const { kind, scope } of this.#definition.watches) this.#informers.set(kindId(kind), informers.get(kind, scope));
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced));
    // Handlers come after all informers are synced: `mapped` functions may look at any of them.
    for (const watch of this.#definition.watches) this.#subscribe(watch);
    const unsubscribe = this.#definition.subscribe?.((key) => this.#queue.add(key), this.#informer);
    if (unsubscribe) this.#cleanups.push(unsubscribe);
    this.#queue.start();
  }

  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    await this.#queue.stop();
  }

  #subscribe(watch: Watch): void {
    const enqueue = (object: KubeObject): void => {
      for (const key of watch.keys(object, this.#informer)) {
        if (watch.delayMs === undefined) this.#queue.add(key);
        else this.#queue.addAfter(key, watch.delayMs);
      }
    };
    const remove = this.#informers.get(kindId(watch.kind))?.addHandler({
      onAdd(object) {
        if (!watch.ignoresNew) enqueue(object);
      },
      onUpdate(next, previous) {
        if (watch.changed && !watch.changed(next, previous)) return;
        enqueue(next);
        enqueue(previous);
      },
      onDelete: enqueue,
    });
    if (remove) this.#cleanups.push(remove);
  }

  readonly #informer: InformerOf = <T extends KubeObject>(kind: Kind<T>): Informer<T> => {
    const informer = this.#informers.get(kindId(kind));
    assert(informer, `the ${this.name} controller does not watch ${kind.plural}`);
    return informer as unknown as Informer<T>;
  };

  readonly #lookup: InformerLookup = (kind) => {
    const informer = this.#informers.get(kindId(kind));
    // A selection may never show what was written outside of it.
    return informer && Object.keys(informer.scope).length === 0 ? informer : undefined;
  };

  async #reconcile(key: string): Promise<void> {
    const { client, events, clock, log } = this.#deps;
    if (this.#waitsForOwnWrites(key)) return;
    const writes = new OwnWrites();
    try {
      await this.#definition.reconcile(key, {
        client: writes.record(client, this.#lookup),
        informer: this.#informer,
        events,
        clock,
        log,
        requeueAfter: (delayMs) => this.#queue.addAfter(key, delayMs),
      });
    } finally {
      if (!writes.seen) this.#ownWrites.set(key, writes);
    }
  }

  /** True when the key must wait; it is queued again by the event that shows the last write, or when patience ends. */
  #waitsForOwnWrites(key: string): boolean {
    const writes = this.#ownWrites.get(key);
    const pending = writes?.pending() ?? [];
    if (!writes || pending.length === 0) {
      this.#ownWrites.delete(key);
      return false;
    }
    if (this.#waiting.has(key)) return true;
    this.#waiting.add(key);
    const proceed = (): void => {
      if (!this.#waiting.delete(key)) return;
      cancelTimer();
      for (const stop of listeners) stop();
      this.#queue.add(key);
    };
    const listeners = pending.map((informer) => informer.onProgress(() => writes.seen && proceed()));
    const cancelTimer = this.#deps.clock.after(ownWritesPatienceMs, () => {
      this.#ownWrites.delete(key);
      this.#deps.log.warn('the cache is late, going on without it', { key });
      proceed();
    });
    return true;
  }

  /** Conflicts and vanished objects are everyday: another writer was faster, and its event brings the key back anyway. */
  #failed(key: string, error: unknown, retryMs: number): void {
    const everyday = isStatus(error, 'Conflict', 'NotFound', 'AlreadyExists');
    this.#deps.log[everyday ? 'debug' : 'warn']('reconciling failed, trying again', { key, retryMs, error });
  }
}
