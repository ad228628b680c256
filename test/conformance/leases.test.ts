import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane, refused } from './support/control-plane.ts';

const plane = controlPlane();

/** Times long before the first computer are times as well. */
const spec = (holderIdentity: string, second: number, leaseTransitions: number): Json => ({
  holderIdentity,
  leaseDurationSeconds: 30 + second,
  acquireTime: `0001-01-01T00:00:0${second}.000000Z`,
  renewTime: `0001-01-01T00:00:0${second + 3}.000001Z`,
  leaseTransitions,
});

it('[sig-node] Lease lease API should be available [Conformance]', async () => {
  const leases = await plane.inNewNamespace('coordination.k8s.io/v1/leases');
  const created = await leases.create({ metadata: { name: 'lease' }, spec: spec('one', 2, 0) });
  assertVersion(created);
  assert.deepEqual((await leases.get('lease')).spec, spec('one', 2, 0));
  await leases.update({ ...created, spec: spec('two', 4, 1) });
  assert.deepEqual((await leases.get('lease')).spec, spec('two', 4, 1));
  await leases.patch('lease', { spec: spec('three', 5, 2) }, { type: 'strategic' });
  const patched = await leases.get('lease');
  assert.deepEqual(patched.spec, spec('three', 5, 2));
  assertNewer(patched, created);

  await leases.create({ metadata: { name: 'labelled', labels: { test: 'true' } }, spec: spec('one', 2, 0) });
  assert.equal((await leases.list()).items.length, 2);
  await leases.deleteCollection({ labelSelector: 'test=true' });
  const { items } = await leases.list();
  assert.deepEqual(
    items.map((item: Json) => item.metadata.name),
    ['lease'],
  );
  await leases.delete('lease');
  await refused(leases.get('lease'), 404, 'NotFound');
  assert.equal((await plane.api.resource('coordination.k8s.io/v1/leases').list()).kind, 'LeaseList');
});
