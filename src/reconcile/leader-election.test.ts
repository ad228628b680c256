import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '../../test/support/settle.ts';
import { Lease } from '../api/kinds/coordination/lease.ts';
import { FakeClient } from '../client/fake-client.ts';
import { FakeClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { createLeaderElection } from './leader-election.ts';

interface Candidate {
  readonly name: string;
  readonly log: string[];
  cut: boolean;
}

function setup(): {
  fake: FakeClient;
  pass: (ms: number) => Promise<void>;
  add: (name: string) => Candidate & { stop(): Promise<void> };
} {
  const clock = new FakeClock();
  const fake = new FakeClient(clock);
  const rest = (): Promise<void> => settle(() => fake.writes.length);
  return {
    fake,
    async pass(ms) {
      for (let i = 0; i < ms; i += 1000) {
        clock.advance(1000);
        await rest();
      }
    },
    add(name) {
      const candidate: Candidate = { name, log: [], cut: false };
      const client = new Proxy(fake, {
        get(target, property: keyof FakeClient) {
          const value = target[property];
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (candidate.cut) return Promise.reject(new Error('cut off'));
            return (value as (...a: unknown[]) => unknown).apply(target, args);
          };
        },
      });
      const election = createLeaderElection({
        client,
        clock,
        log: silentLogger,
        lease: { namespace: 'kube-system', name: 'office' },
        identity: name,
        leading: {
          name: 'work',
          start: async () => void candidate.log.push('start'),
          stop: async () => void candidate.log.push('stop'),
        },
        onLost: () => candidate.log.push('lost'),
      });
      void election.start();
      return Object.assign(candidate, { stop: () => election.stop() });
    },
  };
}

describe('leader election', () => {
  it('one leads; when it stops the next takes over at once', async () => {
    const { fake, pass, add } = setup();
    const a = add('a');
    await pass(1000);
    const b = add('b');
    await pass(60_000);
    assert.deepEqual([a.log, b.log], [['start'], []]);
    await a.stop();
    await pass(3000);
    assert.deepEqual([a.log, b.log], [['start', 'stop'], ['start']]);
    assert.equal(fake.all(Lease)[0]?.spec.holderIdentity, 'b');
    await b.stop();
  });

  it('a leader that is cut off stops before another takes over', async () => {
    const { pass, add } = setup();
    const a = add('a');
    await pass(1000);
    const b = add('b');
    await pass(5000);
    a.cut = true;
    await pass(13_000);
    assert.deepEqual([a.log, b.log], [['start', 'stop', 'lost'], []]);
    await pass(8000);
    assert.deepEqual(b.log, ['start']);
    await Promise.all([a.stop(), b.stop()]);
  });
});
