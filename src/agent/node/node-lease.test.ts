import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lease } from '../../api/kinds/coordination/lease.ts';
import { FakeClient } from '../../client/fake-client.ts';
import { FakeClock } from '../../lib/clock.ts';
import { NodeLease } from './node-lease.ts';

const key = { namespace: 'kube-node-lease', name: 'pi1' };

describe('NodeLease', () => {
  const bench = () => {
    const clock = new FakeClock();
    const client = new FakeClient(clock);
    return { clock, client, lease: new NodeLease({ client, clock, name: 'pi1' }) };
  };

  it('creates the lease, then renews it', async () => {
    const { clock, client, lease } = bench();
    await lease.renew('uid');
    clock.advance(10_000);
    await lease.renew('uid');
    assert.equal((await client.get(Lease, key)).spec.renewTime, '2026-01-01T00:00:10.000000Z');
  });

  it('writes it anew within one heartbeat when the server has lost it', async () => {
    const { client, lease } = bench();
    await lease.renew('uid');
    await client.delete(Lease, key);
    await lease.renew('uid');
    assert.equal((await client.get(Lease, key)).spec.holderIdentity, 'pi1');
  });

  it('goes on from an older one', async () => {
    const { client, lease } = bench();
    await lease.renew('uid');
    await client.delete(Lease, key);
    await client.create(Lease, { metadata: key, spec: { holderIdentity: 'old' } });
    await lease.renew('uid');
    assert.equal((await client.get(Lease, key)).spec.holderIdentity, 'pi1');
  });
});
