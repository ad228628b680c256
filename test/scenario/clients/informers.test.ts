/**
 * Informers of @kubernetes/client-node on a real server, over connections that break at random moments, while somebody writes and the server is
 * killed and restarted: in the end each has what a list has, and told of each change once. `INFORMER_SEED=n` repeats a run.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, type KubernetesObject, ListWatch, type V1ConfigMap, Watch } from '@kubernetes/client-node';
import { ChaosProxy } from '../../support/chaos-proxy.ts';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { Random, seedOf } from '../../support/random.ts';
import { ServerProcess } from '../../support/server-process.ts';

const namespaces = ['default', 'other'];
const names = Array.from({ length: 25 }, (_, i) => `m${i}`);
const chaosMs = 6_000;
/** What the server remembers of changes for watches that come back: so many, or so much. */
const historyEvents = 4_096;
const historyBytes = 8 * 1024 * 1024;
/** A watch that hears nothing for so long is opened anew: how a client notices a connection that is half open. */
const silenceMs = 1_000;

isolated(import.meta.url, ({ folder }) => {
  describe('informers of another client', () => {
    const random = new Random(seedOf('INFORMER_SEED'));
    const server = new ServerProcess(folder);
    const proxy = new ChaosProxy(random, server.port);
    const config = new KubeConfig();
    const informers: Informed[] = [];

    before(async () => {
      await server.start();
      assert.equal((await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'other' } })).status, 201);
      const { ca, cert, key } = server.credentials;
      const address = `https://127.0.0.1:${await proxy.start()}`;
      const pem = { caData: ca.toString('base64'), certData: cert.toString('base64'), keyData: key.toString('base64') };
      config.loadFromClusterAndUser({ name: 'c', server: address, skipTLSVerify: false, ...pem }, { name: 'u', ...pem });
      for (const namespace of [undefined, ...namespaces]) {
        informers.push(new Informed(config, server, namespace));
        informers.push(new Informed(config, server, namespace, { labelSelector: 'color in (red,green)' }));
      }
      informers.push(new Informed(config, server, undefined, { fieldSelector: 'metadata.name=m3' }));
      informers.push(new Informed(config, server, undefined, { fieldSelector: 'metadata.namespace!=default' }));
      for (const informer of informers) informer.start();
    });
    after(async () => {
      for (const informer of informers) await informer.stop();
      await proxy.stop();
      await server.stop();
    });

    const everybodyIsRight = async (): Promise<void> => {
      for (const informer of informers)
        await eventually(`${informer.title} has what a list has`, () => informer.isRight(), 30_000);
      for (const { title, mistakes } of informers) assert.deepEqual(mistakes, [], title);
    };

    it('have everything to begin with', async () => {
      await new Writer(server, random).write(40);
      await everybodyIsRight();
    });

    it('have everything after connections broke', { timeout: 120_000 }, async () => {
      const writer = new Writer(server, random);
      const until = performance.now() + chaosMs;
      const chaos = async (): Promise<void> => {
        for (; performance.now() < until; await sleep(random.below(150))) proxy.breakOne();
      };
      const writing = async (): Promise<void> => {
        while (performance.now() < until) await writer.write(1);
      };
      await Promise.all([chaos(), writing(), writing()]);
      console.log(`${writer.done} writes, ${proxy.broken} broken connections`);
      assert.ok(proxy.broken > 20 && writer.done > 100);
      await everybodyIsRight();
    });

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      it(`have everything after a server that ended with ${signal} came back`, { timeout: 120_000 }, async () => {
        const writer = new Writer(server, random);
        let ended = false;
        const writing = async (): Promise<void> => {
          while (!ended) await writer.write(1).catch(() => sleep(20));
        };
        const writers = [writing(), writing(), writing()];
        await sleep(500 + random.below(500));
        await server.stop(signal);
        await sleep(random.below(500));
        await server.start();
        for (let n = 0; n < 10; n++) {
          proxy.breakOne();
          await sleep(random.below(100));
        }
        ended = true;
        await Promise.all(writers);
        await everybodyIsRight();
      });
    }

    it('start anew when they were away for longer than the server remembers', { timeout: 120_000 }, async () => {
      proxy.takeDown();
      await new Writer(server, random).write(60);
      await forget(server);
      const lists = informers.map((informer) => informer.lists);
      proxy.bringUp();
      await everybodyIsRight();
      for (const [i, informer] of informers.entries()) assert.ok(informer.lists > lists[i]!, `${informer.title} lists again`);
    });

    it('a watch goes on from a bookmark when its own version is forgotten', { timeout: 120_000 }, async () => {
      const path = '/api/v1/namespaces/kube-public/secrets';
      const start = await versionOf(server, path);
      let forgotten = false;
      const forgetting = forgetBytes(server).then(() => (forgotten = true));
      let bookmark = start;
      for (let isLast = false; !isLast; ) {
        isLast = forgotten;
        const query = { resourceVersion: bookmark, allowWatchBookmarks: 'true', timeoutSeconds: '3' };
        const events = await watchEvents(config, path, query);
        assert.deepEqual(new Set(events.map(({ type }) => type)), new Set(['BOOKMARK']), JSON.stringify(events));
        bookmark = events.at(-1)!.object.metadata!.resourceVersion!;
      }
      await forgetting;
      const name = `s${random.below(10_000)}`;
      await server.call('POST', path, { metadata: { name } });
      const after = await watchEvents(config, path, { resourceVersion: bookmark, timeoutSeconds: '1' });
      assert.deepEqual(
        after.map(({ type, object }) => [type, object.metadata?.name]),
        [['ADDED', name]],
      );
      const [gone, ...more] = await watchEvents(config, path, { resourceVersion: start, timeoutSeconds: '5' });
      assert.deepEqual([gone?.type, (gone?.object as { code?: number } | undefined)?.code, more], ['ERROR', 410, []]);
    });

    it('a watch list ends its beginning with a bookmark', async () => {
      const path = '/api/v1/namespaces/default/configmaps';
      const list = JSON.parse((await server.call('GET', path)).body) as {
        items: KubernetesObject[];
        metadata: { resourceVersion: string };
      };
      const query = {
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
        timeoutSeconds: '1',
      };
      const events = await watchEvents(config, path, query);
      const end = events.findIndex(({ type }) => type === 'BOOKMARK');
      assert.deepEqual(
        events.slice(0, end).map(({ type, object }) => [type, object.metadata?.name]),
        list.items.map((item) => ['ADDED', item.metadata?.name]),
      );
      const { annotations, resourceVersion } = events[end]!.object.metadata!;
      assert.deepEqual(annotations, { 'k8s.io/initial-events-end': 'true' });
      assert.ok(Number(resourceVersion) >= Number(list.metadata.resourceVersion));
    });
  });
});

type Event = { type: string; object: KubernetesObject };

/** What a watch brings until the server ends it. */
function watchEvents(config: KubeConfig, path: string, query: Record<string, string>): Promise<Event[]> {
  const events: Event[] = [];
  return new Promise((resolve, reject) => {
    const watch = new Watch(config);
    void watch.watch(
      path,
      query,
      (type, object) => events.push({ type, object }),
      (error) => (error ? reject(error) : resolve(events)),
    );
  });
}

async function versionOf(server: ServerProcess, path: string): Promise<string> {
  return JSON.parse((await server.call('GET', path)).body).metadata.resourceVersion;
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-public/leases';

/** Changes something nobody watches until the server has forgotten everything else. Leases cost no disk writes. */
function forget(server: ServerProcess): Promise<void> {
  return change(server, historyEvents + 10, (n) => ({ spec: { leaseTransitions: n } }));
}

/** As `forget`, by the size of the changes. */
function forgetBytes(server: ServerProcess): Promise<void> {
  const note = 'x'.repeat(200_000);
  return change(server, historyBytes / note.length + 5, (n) => ({ metadata: { annotations: { note: `${n} ${note}` } } }));
}

async function change(server: ServerProcess, count: number, patch: (n: number) => object): Promise<void> {
  await server.call('POST', leases, { metadata: { name: 'busy' } });
  let left = count;
  const headers = { 'content-type': 'application/merge-patch+json' };
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await server.call('PATCH', `${leases}/busy`, patch(Math.floor(left) + 1), { headers });
      assert.equal(answer.status, 200, answer.body.slice(0, 300));
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
}

/** Creates, changes and deletes ConfigMaps, past the proxy. */
class Writer {
  readonly #server: ServerProcess;
  readonly #random: Random;
  done = 0;

  constructor(server: ServerProcess, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  async write(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const random = this.#random;
      const path = `/api/v1/namespaces/${random.pick(namespaces)}/configmaps`;
      const name = random.pick(names);
      const color = random.pick(['red', 'green', 'blue']);
      const object = { metadata: { name, labels: { color } }, data: { value: 'x'.repeat(random.below(3000)) } };
      const action = random.below(4);
      if (action === 0) await this.#server.call('DELETE', `${path}/${name}`);
      else if (action === 1) await this.#server.call('PUT', `${path}/${name}`, object);
      else await this.#server.call('POST', path, object);
      this.done++;
    }
  }
}

interface Selectors {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** An informer, started again whenever it gives up, and a record of what it said. */
class Informed {
  readonly title: string;
  /** What it said that cannot be: an object added twice, a change of what is not there. */
  readonly mistakes: string[] = [];
  lists = 0;
  readonly #server: ServerProcess;
  readonly #informer: ListWatch<V1ConfigMap>;
  readonly #url: string;
  readonly #said = new Map<string, V1ConfigMap>();
  #stopped = false;

  constructor(config: KubeConfig, server: ServerProcess, namespace: string | undefined, selectors: Selectors = {}) {
    const query = new URLSearchParams({ ...selectors }).toString();
    const path = namespace ? `/api/v1/namespaces/${namespace}/configmaps` : '/api/v1/configmaps';
    const api = config.makeApiClient(CoreV1Api);
    this.#server = server;
    this.#url = query ? `${path}?${query}` : path;
    this.title = this.#url;
    const watch = Object.assign(new Watch(config), { requestTimeoutMs: silenceMs });
    const list = () => {
      this.lists++;
      return namespace ? api.listNamespacedConfigMap({ namespace, ...selectors }) : api.listConfigMapForAllNamespaces(selectors);
    };
    const { labelSelector, fieldSelector } = selectors;
    const delayFn = () => sleep(20);
    this.#informer = new ListWatch<V1ConfigMap>(path, watch, list, false, labelSelector, fieldSelector, { delayFn });
    this.#informer.on('add', (object) => this.#hear('add', object));
    this.#informer.on('update', (object) => this.#hear('update', object));
    this.#informer.on('delete', (object) => this.#hear('delete', object));
    // As the client's documentation has it.
    this.#informer.on('error', () => void sleep(50).then(() => (this.#stopped ? undefined : this.#informer.start())));
  }

  start(): void {
    void this.#informer.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#informer.stop();
  }

  /** Its cache, what it said, and a list agree. */
  async isRight(): Promise<boolean> {
    const { body } = await this.#server.call('GET', this.#url);
    const listed = versions((JSON.parse(body) as { items: V1ConfigMap[] }).items);
    assert.deepEqual(versions(this.#informer.list()), listed);
    assert.deepEqual(versions([...this.#said.values()]), listed);
    return true;
  }

  #hear(event: string, object: V1ConfigMap): void {
    const key = keyOf(object);
    if ((event === 'add') === this.#said.has(key)) this.mistakes.push(`${event} of ${key}`);
    if (event === 'delete') this.#said.delete(key);
    else this.#said.set(key, object);
  }
}

const keyOf = ({ metadata }: KubernetesObject): string => `${metadata!.namespace}/${metadata!.name}`;

function versions(objects: readonly KubernetesObject[]): string[] {
  return objects.map((object) => `${keyOf(object)} ${object.metadata!.uid} ${object.metadata!.resourceVersion}`).sort();
}
