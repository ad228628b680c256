import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ControllerRevision } from '../../../api/kinds/apps/controller-revision.ts';
import { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import { FakeClient } from '../../../client/fake-client.ts';
import { FakeClock } from '../../../lib/clock.ts';
import { ensureRevision } from './revisions.ts';

async function owned(): Promise<{ client: FakeClient; ensure: () => Promise<ControllerRevision> }> {
  const client = new FakeClient(new FakeClock());
  const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } };
  const owner = await client.create(StatefulSet, {
    metadata: { namespace: 'ns', name: 'db', annotations: { 'kubernetes.io/change-cause': 'first' } },
    spec: { serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template },
  } as unknown as StatefulSet);
  const ensure = (): Promise<ControllerRevision> =>
    ensureRevision({
      ...{ client, kind: StatefulSet, owner, hashLabel: 'hash', collisionCount: 0 },
      revisions: client.all(ControllerRevision, 'ns'),
    });
  return { client, ensure };
}

describe('revisions', () => {
  it('carry the annotations of their owner, the cause of a change among them', async () => {
    const { ensure } = await owned();
    assert.deepEqual((await ensure()).metadata.annotations, { 'kubernetes.io/change-cause': 'first' });
  });

  it('of several equal ones the latest counts, by number, age and name', async () => {
    const { client, ensure } = await owned();
    const { data, metadata } = await ensure();
    // As another controller names it, in the same second.
    for (const name of ['db-z', 'db-a']) {
      await client.create(ControllerRevision, { metadata: { ...metadata, name }, data: data ?? {}, revision: 1 });
    }
    assert.equal((await ensure()).metadata.name, 'db-z');
  });
});
