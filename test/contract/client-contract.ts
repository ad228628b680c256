import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap } from '../../src/api/kinds/core/config-map.ts';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { isStatus } from '../../src/api/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { createInformer } from '../../src/client/informer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';

/** A client whose API holds the namespace `ns` and nothing else that the suite looks at. */
export interface ClientUnderTest {
  readonly client: Client;
  stop(): Promise<void>;
}

interface Seen {
  readonly events: string[];
  readonly ended: Promise<Error | undefined>;
  readonly stop: () => void;
  /** Resolves when so many events have come. */
  count(n: number): Promise<void>;
}

const key = (name: string) => ({ namespace: 'ns', name });
const draft = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  metadata: { namespace: 'ns', name, labels },
  data,
});

function watch(client: Client, resourceVersion: string, labelSelector?: string): Seen {
  const events: string[] = [];
  const waiters: { n: number; resolve: () => void }[] = [];
  let resolveEnd: (error: Error | undefined) => void = () => {};
  const ended = new Promise<Error | undefined>((resolve) => {
    resolveEnd = resolve;
  });
  const options = { namespace: 'ns', resourceVersion, ...(labelSelector ? { labelSelector } : {}) };
  const stop = client.watch(ConfigMap, options, {
    onEvent(type, object) {
      if (type === 'BOOKMARK') return;
      events.push(`${type} ${object.metadata.name} ${object.data?.['v'] ?? ''}`.trim());
      for (const { n, resolve } of waiters) if (events.length >= n) resolve();
    },
    onEnd: resolveEnd,
  });
  const count = (n: number): Promise<void> =>
    events.length >= n ? Promise.resolve() : new Promise((resolve) => waiters.push({ n, resolve }));
  return { events, ended, stop, count };
}

/** What every Client must do; run against each implementation. */
export function clientContract(name: string, setup: () => Promise<ClientUnderTest>): void {
  const test = (title: string, body: (client: Client) => Promise<void>): void => {
    it(title, { timeout: 20_000 }, async () => {
      const { client, stop } = await setup();
      try {
        await body(client);
      } finally {
        await stop();
      }
    });
  };

  describe(`client contract: ${name}`, () => {
    test('create, get, update, delete', async (client) => {
      const created = await client.create(ConfigMap, draft('a', { v: '1' }));
      assert.equal(created.kind, 'ConfigMap');
      assert.ok(created.metadata.uid && created.metadata.resourceVersion && created.metadata.creationTimestamp);
      assert.deepEqual((await client.get(ConfigMap, key('a'))).data, { v: '1' });
      const updated = await client.update(ConfigMap, { ...created, data: { v: '2' } });
      assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
      await client.delete(ConfigMap, key('a'));
      await assert.rejects(client.get(ConfigMap, key('a')), (e) => isStatus(e, 'NotFound'));
    });

    test('refusals are StatusErrors with their reason', async (client) => {
      const created = await client.create(ConfigMap, draft('a'));
      await assert.rejects(client.create(ConfigMap, draft('a')), (e) => isStatus(e, 'AlreadyExists'));
      await client.update(ConfigMap, { ...created, data: { v: '1' } });
      await assert.rejects(client.update(ConfigMap, { ...created, data: { v: '2' } }), (e) => isStatus(e, 'Conflict'));
      await assert.rejects(client.delete(ConfigMap, key('missing')), (e) => isStatus(e, 'NotFound'));
      const preconditions = { uid: 'another' };
      await assert.rejects(client.delete(ConfigMap, key('a'), { preconditions }), (e) => isStatus(e, 'Conflict'));
    });

    test('a write that changes nothing keeps the version', async (client) => {
      const created = await client.create(ConfigMap, draft('a', { v: '1' }));
      const again = await client.update(ConfigMap, created);
      assert.equal(again.metadata.resourceVersion, created.metadata.resourceVersion);
    });

    test('merge and JSON patches', async (client) => {
      await client.create(ConfigMap, draft('a', { keep: 'x', drop: 'y' }));
      const merged = await client.patch(ConfigMap, key('a'), { type: 'merge', body: { data: { drop: null, v: '1' } } });
      assert.deepEqual(merged.data, { keep: 'x', v: '1' });
      const body = [{ op: 'replace', path: '/data/v', value: '2' }];
      assert.equal((await client.patch(ConfigMap, key('a'), { type: 'json', body })).data?.['v'], '2');
    });

    test('lists have complete items, selectors and pages', async (client) => {
      for (const name of ['a', 'b', 'c']) await client.create(ConfigMap, draft(name, {}, { odd: name === 'b' ? 'no' : 'yes' }));
      const odd = await client.list(ConfigMap, { namespace: 'ns', labelSelector: 'odd=yes' });
      assert.deepEqual(
        odd.items.map((c) => `${c.apiVersion} ${c.kind} ${c.metadata.name}`),
        ['v1 ConfigMap a', 'v1 ConfigMap c'],
      );
      const one = await client.list(ConfigMap, { namespace: 'ns', fieldSelector: 'metadata.name=b' });
      assert.equal(one.items.length, 1);
      const names: string[] = [];
      let next: string | undefined;
      do {
        const page = await client.list(ConfigMap, {
          namespace: 'ns',
          labelSelector: 'odd',
          limit: 2,
          ...(next ? { continue: next } : {}),
        });
        names.push(...page.items.map((c) => c.metadata.name));
        next = page.metadata.continue;
      } while (next);
      assert.deepEqual(names, ['a', 'b', 'c']);
      assert.equal(
        (await client.list(Namespace)).items.some((n) => n.metadata.name === 'ns'),
        true,
      );
    });

    test('a watch delivers what follows its version, in order', async (client) => {
      const { metadata } = await client.list(ConfigMap, { namespace: 'ns' });
      const created = await client.create(ConfigMap, draft('a', { v: '1' }));
      const seen = watch(client, metadata.resourceVersion);
      await client.update(ConfigMap, { ...created, data: { v: '2' } });
      await client.delete(ConfigMap, key('a'));
      await seen.count(3);
      seen.stop();
      assert.deepEqual(seen.events, ['ADDED a 1', 'MODIFIED a 2', 'DELETED a 2']);
    });

    test('a watch with a selector shows objects that come into it and leave it', async (client) => {
      const { metadata } = await client.list(ConfigMap, { namespace: 'ns' });
      const seen = watch(client, metadata.resourceVersion, 'in=yes');
      await client.create(ConfigMap, draft('a', { v: '1' }));
      for (const value of ['yes', 'no']) {
        await client.patch(ConfigMap, key('a'), { type: 'merge', body: { metadata: { labels: { in: value } } } });
      }
      await seen.count(2);
      seen.stop();
      assert.deepEqual(seen.events, ['ADDED a 1', 'DELETED a 1']);
    });

    test('a stopped watch is silent', async (client) => {
      const { metadata } = await client.list(ConfigMap, { namespace: 'ns' });
      const stopped = watch(client, metadata.resourceVersion);
      stopped.stop();
      const other = watch(client, metadata.resourceVersion);
      await client.create(ConfigMap, draft('a'));
      await other.count(1);
      other.stop();
      assert.deepEqual(stopped.events, []);
    });

    test('an informer follows', async (client) => {
      await client.create(ConfigMap, draft('a', { v: '1' }));
      const informer = createInformer({ client, clock: systemClock, log: silentLogger }, ConfigMap, {
        scope: { namespace: 'ns' },
      });
      const log: string[] = [];
      informer.addHandler({
        onAdd: (o) => log.push(`add ${o.metadata.name}`),
        onUpdate: (o, before) => log.push(`update ${o.metadata.name} ${before.data?.['v']} ${o.data?.['v']}`),
        onDelete: (o) => log.push(`delete ${o.metadata.name}`),
      });
      informer.start();
      await informer.synced;
      const reached = (revision: string): Promise<void> =>
        new Promise((resolve) => {
          const check = (): void => {
            if (informer.revision >= Number(revision)) resolve();
          };
          informer.onProgress(check);
          check();
        });
      const written = await client.patch(ConfigMap, key('a'), { type: 'merge', body: { data: { v: '2' } } });
      await client.delete(ConfigMap, key('a'));
      const last = await client.create(ConfigMap, draft('b'));
      await reached(last.metadata.resourceVersion);
      informer.stop();
      assert.ok(Number(last.metadata.resourceVersion) > Number(written.metadata.resourceVersion));
      assert.deepEqual(
        log.filter((line) => !line.includes('kube-root-ca')),
        ['add a', 'update a 1 2', 'delete a', 'add b'],
      );
    });
  });
}
