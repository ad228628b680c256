/**
 * Lists and watches rebuild the state whatever happens in between: writers at the same time, lists in pages, watches that break and go on from any
 * version they saw. `LIST_WATCH_SEED=n` repeats a run, `LIST_WATCH_ROUNDS=n` makes it longer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lease } from '../../../src/api/kinds/coordination/lease.ts';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { Namespace } from '../../../src/api/kinds/core/namespace.ts';
import type { KubeObject } from '../../../src/api/meta.ts';
import { isStatus } from '../../../src/api/status-error.ts';
import type { Client } from '../../../src/client/client.ts';
import { createHttpsClient } from '../../../src/client/https-client.ts';
import { createLoopbackClient } from '../../../src/client/loopback-client.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { startTestApi } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { Random, seedOf } from '../../support/random.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const rounds = Number(process.env['LIST_WATCH_ROUNDS'] ?? 3);
const writesPerRound = 150;
/** What the server remembers of changes. */
const historyBytes = 8 * 1024 * 1024;
const namespaces = ['a', 'b'];
const colors = ['red', 'green', 'blue'];

interface View {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** By hand, what the selectors say. */
  readonly shows: (object: KubeObject) => boolean;
}

const color = (object: KubeObject): string | undefined => object.metadata.labels?.['color'];
const views: readonly View[] = [
  { shows: () => true },
  { namespace: 'a', shows: ({ metadata }) => metadata.namespace === 'a' },
  { labelSelector: 'color in (red,green)', shows: (object) => ['red', 'green'].includes(color(object)!) },
  { namespace: 'b', labelSelector: 'color!=red', shows: (o) => o.metadata.namespace === 'b' && color(o) !== 'red' },
  { labelSelector: 'color', fieldSelector: 'metadata.namespace!=a', shows: (o) => o.metadata.namespace !== 'a' && !!color(o) },
  { fieldSelector: 'metadata.name=m3', shows: ({ metadata }) => metadata.name === 'm3' },
  { labelSelector: '!color', shows: (object) => !color(object) },
];

describe('lists and watches', () => {
  it('rebuild the state in process', { timeout: 60_000 }, async () => {
    const api = await startTestApi();
    await rebuild(createLoopbackClient(api.server.inProcess, systemMaster));
    await api.stop();
  });

  it('rebuild the state over HTTPS', { timeout: 60_000 }, async () => {
    const { tls, caPem } = throwAwayTls();
    const api = await startTestApi({ overrides: { tls, host: '127.0.0.1' } });
    const address = `https://127.0.0.1:${api.server.port}`;
    const client = createHttpsClient({ server: address, ca: caPem, credentials: {}, log: silentLogger });
    await rebuild(client);
    client.close();
    await api.stop();
  });
});

async function rebuild(client: Client): Promise<void> {
  const random = new Random(seedOf('LIST_WATCH_SEED'));
  for (const name of namespaces) await client.create(Namespace, { metadata: { name }, spec: {} });
  const truth = new Truth();
  truth.follow(client, (await client.list(ConfigMap)).metadata.resourceVersion);
  const observers = views.map((view) => new Observer(client, truth, view, random));
  for (const observer of observers) await observer.start();
  for (let round = 0; round < rounds; round++) {
    await Promise.all([write(client, random), ...observers.map((observer) => observer.disturb())]);
    if (round === 0) await forget(client, observers);
    const { metadata } = await client.list(ConfigMap);
    await truth.reaches(metadata.resourceVersion);
    for (const observer of observers) await observer.settles(metadata.resourceVersion);
  }
  for (const observer of observers) observer.stop();
  truth.stop();
  assert.ok(truth.changes > (rounds * writesPerRound) / 3, `${truth.changes} changes`);
  assert.ok(
    observers.some(({ relists }) => relists > 0),
    'somebody came too late and started anew',
  );
}

/** Creates, changes and deletes the same few objects. */
async function write(client: Client, random: Random): Promise<void> {
  for (let n = 0; n < writesPerRound; n++) {
    const key = { namespace: random.pick(namespaces), name: `m${random.below(8)}` };
    const label = random.pick([...colors, undefined]);
    const object = { metadata: { ...key, labels: label ? { color: label } : {} }, data: { n: String(n) } };
    const body = { metadata: { labels: { color: label ?? null } }, data: { n: String(random.below(3)) } };
    const action = random.below(5);
    try {
      if (action === 0) await client.delete(ConfigMap, key);
      else if (action < 3) await client.create(ConfigMap, object);
      else await client.patch(ConfigMap, key, { type: 'merge', body });
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'AlreadyExists')) throw error;
    }
    // Others get their turn.
    if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** While nobody looks, more happens than the server remembers. */
async function forget(client: Client, observers: readonly Observer[]): Promise<void> {
  for (const observer of observers) observer.stop();
  const key = { namespace: 'a', name: 'busy' };
  await client.create(Lease, { metadata: key, spec: {} });
  const note = 'x'.repeat(200_000);
  for (let n = 0; n < historyBytes / note.length + 5; n++) {
    await client.patch(Lease, key, { type: 'merge', body: { metadata: { annotations: { note: `${n} ${note}` } } } });
  }
  for (const observer of observers) observer.resume();
}

type State = Map<string, string>;

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;
const identity = ({ metadata }: KubeObject): string => `${metadata.uid} ${metadata.resourceVersion}`;

/** All that ever happened, from one watch that never breaks. */
class Truth {
  readonly #events: { version: number; type: string; object: KubeObject }[] = [];
  #end: (() => void) | undefined;
  #version = 0;

  get changes(): number {
    return this.#events.length;
  }

  follow(client: Client, resourceVersion: string): void {
    this.#end = client.watch(
      ConfigMap,
      { resourceVersion },
      {
        onEvent: (type, object) => {
          this.#version = Number(object.metadata.resourceVersion);
          if (type !== 'BOOKMARK') this.#events.push({ version: this.#version, type, object });
        },
        onEnd: (error) => assert.fail(`the watch of all ended: ${error}`),
      },
    );
  }

  stop(): void {
    this.#end?.();
  }

  /** Waits for what was listed. A list's version may be that of a change to something else. */
  async reaches(resourceVersion: string): Promise<void> {
    await eventually('the watch of all is up to date', () => this.#version >= this.#lastBefore(Number(resourceVersion)));
  }

  /** What a view showed at a version. */
  stateAt(version: number, { shows }: View): State {
    const state: State = new Map();
    for (const event of this.#events) {
      if (event.version > version) break;
      if (event.type !== 'DELETED' && shows(event.object)) state.set(keyOf(event.object), identity(event.object));
      else state.delete(keyOf(event.object));
    }
    return state;
  }

  #lastBefore(version: number): number {
    return this.#events.findLast((event) => event.version <= version)?.version ?? 0;
  }
}

interface Seen {
  readonly version: string;
  readonly state: State;
}

/** A client that lists once and watches from then on, badly connected. */
class Observer {
  relists = 0;
  readonly #client: Client;
  readonly #truth: Truth;
  readonly #view: View;
  readonly #random: Random;
  /** What it knew at the last versions it saw, the newest last. */
  #seen: Seen[] = [];
  /** What it listed, to be compared when the truth has come so far. */
  readonly #listed: Seen[] = [];
  #end: (() => void) | undefined;
  #failure: unknown;

  constructor(client: Client, truth: Truth, view: View, random: Random) {
    this.#client = client;
    this.#truth = truth;
    this.#view = view;
    this.#random = random;
  }

  async start(): Promise<void> {
    const seen = await this.#list();
    this.#seen = [seen];
    this.#watch(seen);
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }

  /** Goes on from a version it saw, not always the last one, with what it knew then. */
  resume(): void {
    this.stop();
    this.#seen.length = 1 + this.#random.below(this.#seen.length);
    this.#watch(this.#seen.at(-1)!);
  }

  async disturb(): Promise<void> {
    for (let n = 0; n < 10; n++) {
      for (let turns = this.#random.below(30); turns >= 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      if (this.#random.chance(0.3)) this.#listed.push(await this.#list());
      else this.resume();
    }
  }

  /** Its state becomes that of a list, and everything it ever listed was the state of that moment. */
  async settles(version: string): Promise<void> {
    const { shows: _shows, ...selectors } = this.#view;
    const what = JSON.stringify(selectors);
    await eventually(`${what} is up to date`, () => {
      if (this.#failure) throw this.#failure;
      assert.deepEqual(sorted(this.#seen.at(-1)!.state), sorted(this.#truth.stateAt(Number(version), this.#view)));
      return true;
    });
    for (const listed of this.#listed.splice(0)) {
      const state = this.#truth.stateAt(Number(listed.version), this.#view);
      assert.deepEqual(sorted(listed.state), sorted(state), `${what} at ${listed.version}`);
    }
  }

  /** All pages, with writers at work in between. */
  async #list(): Promise<Seen> {
    const { shows: _shows, ...selectors } = this.#view;
    const state: State = new Map();
    const versions = new Set<string>();
    let next: string | undefined;
    do {
      const page = { limit: 1 + this.#random.below(4), ...(next ? { continue: next } : {}) };
      const list = await this.#client.list(ConfigMap, { ...selectors, ...page });
      assert.ok(list.items.length <= page.limit);
      for (const item of list.items) {
        assert.ok(!state.has(keyOf(item)), `${keyOf(item)} is on one page only`);
        state.set(keyOf(item), identity(item));
      }
      versions.add(list.metadata.resourceVersion);
      next = list.metadata.continue;
    } while (next);
    assert.equal(versions.size, 1, 'all pages are of one moment');
    return { version: [...versions][0]!, state };
  }

  #watch({ version, state }: Seen): void {
    const { shows: _shows, ...selectors } = this.#view;
    const current = new Map(state);
    let last = Number(version);
    this.#end = this.#client.watch(
      ConfigMap,
      { ...selectors, resourceVersion: version },
      {
        onEvent: (type, object) => {
          const now = object.metadata.resourceVersion;
          assert.ok(type === 'BOOKMARK' || Number(now) > last, `${now} comes after ${last}`);
          last = Number(now);
          if (type === 'BOOKMARK') return;
          const key = keyOf(object);
          if ((type === 'ADDED') === current.has(key)) this.#failure = new Error(`${type} of ${key} at ${now}`);
          if (type === 'DELETED') current.delete(key);
          else current.set(key, identity(object));
          this.#seen.push({ version: now, state: new Map(current) });
        },
        onEnd: (error) => {
          this.#end = undefined;
          if (!isStatus(error, 'Expired')) this.#failure = error ?? new Error('the watch ended by itself');
          else {
            this.relists++;
            this.start().catch((failure: unknown) => (this.#failure = failure));
          }
        },
      },
    );
  }
}

const sorted = (state: State): string[] => [...state].map((entry) => entry.join(' ')).sort();
