import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap } from '../../src/api/kinds/core/config-map.ts';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { FakeClient } from '../../src/client/fake-client.ts';
import { createHttpsClient } from '../../src/client/https-client.ts';
import { createInformer } from '../../src/client/informer.ts';
import { createLoopbackClient } from '../../src/client/loopback-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { startTestApi } from '../support/api-server.ts';
import { startFakeApiServer } from '../support/fake-api-server.ts';
import { clientContract } from './client-contract.ts';

function fakeWithNamespace(): FakeClient {
  const fake = new FakeClient(systemClock);
  fake.seed(Namespace, { metadata: { name: 'ns' }, spec: {}, status: {} });
  return fake;
}

clientContract('fake', async () => ({ client: fakeWithNamespace(), stop: async () => {} }));

clientContract('loopback', async () => {
  const { server, stop } = await startTestApi();
  const client = createLoopbackClient(server.inProcess, { name: 'system:apiserver', groups: ['system:masters'] });
  await client.create(Namespace, { metadata: { name: 'ns' }, spec: {} });
  return { client, stop };
});

async function overTheWire(token?: () => string) {
  const fake = fakeWithNamespace();
  const server = await startFakeApiServer(fake);
  const client = createHttpsClient({
    server: server.url,
    credentials: token ? () => ({ token: token() }) : {},
    log: silentLogger,
  });
  return {
    fake,
    server,
    client,
    async stop() {
      client.close();
      await server.stop();
    },
  };
}

clientContract('https', () => overTheWire());

describe('https client', () => {
  it('tells of every answer, and when there was none', async () => {
    const server = await startFakeApiServer(fakeWithNamespace());
    const answers: string[] = [];
    const onAnswer = (method: string, code: string): void => {
      answers.push(`${method} ${code}`);
    };
    const client = createHttpsClient({ server: server.url, credentials: {}, log: silentLogger, onAnswer });
    await client.get(Namespace, { name: 'ns' });
    await assert.rejects(client.get(Namespace, { name: 'none' }));
    await server.stop();
    await assert.rejects(client.create(Namespace, { metadata: { name: 'x' }, spec: {} }));
    client.close();
    assert.deepEqual(answers, ['GET 200', 'GET 404', 'POST <error>']);
  });

  it('an informer goes on after the connection was cut, without listing again, and after 410 by listing', {
    timeout: 20_000,
  }, async () => {
    const { client, server, fake, stop } = await overTheWire();
    const informer = createInformer({ client, clock: systemClock, log: silentLogger }, ConfigMap);
    try {
      informer.start();
      await informer.synced;
      const seen = (name: string): Promise<void> =>
        new Promise((resolve) => {
          const check = (): void => {
            if (informer.get(`ns/${name}`)) resolve();
          };
          informer.onProgress(check);
          check();
        });
      server.cut();
      fake.seed(ConfigMap, { metadata: { namespace: 'ns', name: 'a' } });
      await seen('a');
      const lists = (): number => server.requests.filter((r) => r.includes('configmaps?limit')).length;
      assert.equal(lists(), 1);
      fake.seed(ConfigMap, { metadata: { namespace: 'ns', name: 'b' } });
      fake.expireWatches();
      await seen('b');
      assert.equal(lists(), 2);
    } finally {
      informer.stop();
      await stop();
    }
  });

  it('a server that is away is an error that is no StatusError', async () => {
    const { client, stop } = await overTheWire();
    await stop();
    await assert.rejects(client.list(ConfigMap), (e: Error) => e.name === 'ConnectionError');
  });
});
