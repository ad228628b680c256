import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '../../../test/support/settle.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { Service } from '../../api/kinds/core/service.ts';
import { FakeClient } from '../../client/fake-client.ts';
import { InformerFactory } from '../../client/informer-factory.ts';
import { FakeClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { FakeNft } from '../nft/fake-nft.ts';
import { createServiceProxy } from './service-proxy.ts';

describe('service proxy', () => {
  it('loads the rules once, then only what changes, and after a refusal everything again', async () => {
    const clock = new FakeClock();
    const client = new FakeClient(clock);
    const nft = new FakeNft();
    const informers = new InformerFactory({ client, clock, log: silentLogger });
    const proxy = createServiceProxy(
      { nodeName: 'n1', tableName: 'test', clusterCidr: '10.42.0.0/16', podCidr: () => '10.42.0.0/24' },
      { informers, pods: informers.get(Pod), nft, clock, log: silentLogger },
    );
    const loaded = async (afterMs: number): Promise<number> => {
      await settle(() => nft.scripts.length);
      clock.advance(afterMs);
      await settle(() => nft.scripts.length);
      return nft.scripts.length;
    };
    const add = (name: string, clusterIP: string): unknown =>
      client.seed(Service, {
        metadata: { name, namespace: 'default' },
        spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports: [{ port: 80, protocol: 'TCP' }] },
        status: {},
      });
    add('a', '10.43.0.5');
    await proxy.start();
    try {
      assert.equal(await loaded(20), 1);
      assert.match(nft.scripts[0]!, /10\.43\.0\.5/);
      assert.equal(await loaded(60_000), 1);
      add('b', '10.43.0.6');
      assert.equal(await loaded(20), 2);
      assert.doesNotMatch(nft.scripts[1]!, /10\.43\.0\.5/);
      nft.fail(new Error('refused'));
      add('c', '10.43.0.7');
      assert.equal(await loaded(20), 2);
      assert.equal(await loaded(10_000), 3);
      for (const ip of [/10\.43\.0\.5/, /10\.43\.0\.6/, /10\.43\.0\.7/]) assert.match(nft.scripts[2]!, ip);
    } finally {
      await proxy.stop();
      informers.stop();
    }
  });
});
