import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../../../test/support/settle.ts';
import { Secret } from '../../../api/kinds/core/secret.ts';
import type { Client } from '../../../client/client.ts';
import { FakeClock } from '../../../lib/clock.ts';
import { createLastUsedTracker } from './last-used.ts';

const label = 'kubernetes.io/legacy-token-last-used';
const secret = (labels?: Record<string, string>): Secret =>
  ({ metadata: { namespace: 'shop', name: 'web-token', uid: 'u', ...(labels ? { labels } : {}) } }) as Secret;

test('the day of a use is noted once, and again when that failed', async () => {
  const patches: unknown[] = [];
  let isBroken = true;
  const patch = (async (kind: unknown, key: unknown, { body }: { body: unknown }) => {
    patches.push([kind, key, body]);
    if (isBroken) throw new Error('the disk is full');
  }) as unknown as Client['patch'];
  const clock = new FakeClock(Date.UTC(2026, 4, 3, 23, 0));
  const used = createLastUsedTracker({ client: { patch }, clock });
  used(secret());
  used(secret());
  const noted = [Secret, { namespace: 'shop', name: 'web-token' }, { metadata: { uid: 'u', labels: { [label]: '2026-05-03' } } }];
  assert.deepEqual(patches, [noted]);
  await settle(() => patches.length);
  isBroken = false;
  used(secret());
  await settle(() => patches.length);
  assert.deepEqual(patches, [noted, noted]);
  used(secret({ [label]: '2026-05-03' }));
  used(secret({ [label]: '2026-05-04' }));
  assert.equal(patches.length, 2, 'a day ahead is another clock');
  clock.advance(2 * 60 * 60 * 1000);
  used(secret({ [label]: '2026-05-03' }));
  assert.equal(patches.length, 3);
});
