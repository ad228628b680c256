import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeReader } from '../../../../test/support/fake-reader.ts';
import { Secret } from '../../../api/kinds/core/secret.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import type { Client } from '../../../client/client.ts';
import { FakeClock } from '../../../lib/clock.ts';
import { silentLogger } from '../../../lib/log.ts';
import { createSecretTokens } from './secret-tokens.ts';

test('token secrets are filled, left alone when full, and go with their account', async () => {
  const reader = new FakeReader();
  const clock = new FakeClock();
  let writes = 0;
  let failures = 1;
  const client = {
    async update(kind: typeof Secret, object: Secret) {
      writes++;
      if (failures-- > 0) throw new Error('disk full');
      return reader.put(kind, object);
    },
    async delete(kind: typeof Secret, key: { namespace?: string; name: string }) {
      reader.remove(kind, key);
    },
  } as unknown as Client;
  const tokens = { issueForSecret: async (account: ServiceAccount, name: string) => `token-of-${account.metadata.name}-${name}` };
  const component = createSecretTokens({ reader, client, tokens, caPem: 'CA', clock, log: silentLogger });
  await component.start();
  const secret = {
    metadata: { name: 's', namespace: 'a', annotations: { 'kubernetes.io/service-account.name': 'web' } },
    type: 'kubernetes.io/service-account-token',
  };
  reader.put(ServiceAccount, { metadata: { name: 'web', namespace: 'a', uid: 'u1' } });
  reader.put(Secret, secret);
  reader.put(Secret, { metadata: { name: 'other', namespace: 'a' }, type: 'Opaque' });
  await new Promise(setImmediate);
  clock.advance(10_000);
  await new Promise(setImmediate);
  const filled = reader.get(Secret, { namespace: 'a', name: 's' });
  const text = (field: string): string => Buffer.from(filled?.data?.[field] ?? '', 'base64').toString();
  assert.deepEqual([text('token'), text('namespace'), text('ca.crt')], ['token-of-web-s', 'a', 'CA']);
  assert.equal(filled?.metadata.annotations?.['kubernetes.io/service-account.uid'], 'u1');
  assert.equal(writes, 2);
  reader.put(ServiceAccount, { metadata: { name: 'web', namespace: 'a', uid: 'u1', labels: { x: 'y' } } });
  await new Promise(setImmediate);
  assert.equal(writes, 2);
  reader.remove(ServiceAccount, { namespace: 'a', name: 'web' });
  await new Promise(setImmediate);
  assert.equal(reader.get(Secret, { namespace: 'a', name: 's' }), undefined);
  assert.equal(reader.list(Secret).length, 1);
  await component.stop();
});
