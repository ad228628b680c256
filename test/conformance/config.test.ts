import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane, exists, refused } from './support/control-plane.ts';

const plane = controlPlane();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const emptyKeys: readonly (readonly [name: string, resource: string])[] = [
  ['[sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]', 'v1/configmaps'],
  ['[sig-node] Secrets should fail to create secret due to empty secret key [Conformance]', 'v1/secrets'],
];

for (const [name, resource] of emptyKeys)
  it(name, async () => {
    const objects = await plane.inNewNamespace(resource);
    const { details } = await refused(objects.create({ metadata: { name: 'a' }, data: { '': base64('x') } }), 422, 'Invalid');
    assert.equal(details.causes[0].field, 'data[]');
    assert.equal(await exists(objects, 'a'), false);
  });

it('[sig-node] ConfigMap should update ConfigMap successfully [NodeConformance] [Conformance]', async () => {
  const maps = await plane.inNewNamespace('v1/configmaps');
  const map = { metadata: { name: 'a' }, data: { a: '1', b: '2' } };
  await maps.create(map);
  // Without a resourceVersion: whatever is there is replaced.
  await maps.update({ ...map, data: { data: 'value' } });
  assert.deepEqual((await maps.get('a')).data, { data: 'value' });
});

it('[sig-node] Secrets should patch a secret [Conformance]', async () => {
  const secrets = await plane.inNewNamespace('v1/secrets');
  const everywhere = plane.api.resource('v1/secrets');
  const listed = async (): Promise<string[]> =>
    (await everywhere.list({ labelSelector: 'constant=true' })).items.map((item: Json) => item.metadata.name);
  const metadata = { name: 'a', labels: { constant: 'true' } };
  const created = await secrets.create({ metadata, data: { key: base64('value') }, type: 'Opaque' });
  assertVersion(created);
  assert.deepEqual(await listed(), ['a']);
  const patch = { metadata: { labels: { patched: 'true' } }, data: { key: base64('value1') } };
  await secrets.patch('a', patch, { type: 'strategic' });
  const got = await secrets.get('a');
  assertNewer(got, created);
  assert.deepEqual([got.data, got.metadata.labels], [{ key: base64('value1') }, { constant: 'true', patched: 'true' }]);
  await secrets.deleteCollection({ labelSelector: 'patched=true' });
  assert.deepEqual(await listed(), []);
});

const immutables: readonly (readonly [name: string, resource: string])[] = [
  ['[sig-storage] ConfigMap should be immutable if `immutable` field is set [Conformance]', 'v1/configmaps'],
  ['[sig-storage] Secrets should be immutable if `immutable` field is set [Conformance]', 'v1/secrets'],
];

for (const [name, resource] of immutables)
  it(name, async () => {
    const objects = await plane.inNewNamespace(resource);
    await objects.create({ metadata: { name: 'a' }, data: { one: base64('1') } });
    const changed = await objects.change('a', ({ data }) => {
      data.two = base64('2');
    });
    const immutable = await objects.update({ ...changed, immutable: true });
    assert.equal(immutable.immutable, true);
    await refused(objects.update({ ...immutable, data: { ...immutable.data, three: base64('3') } }), 422, 'Invalid');
    await refused(objects.update({ ...immutable, immutable: false }), 422, 'Invalid');
    const labelled = await objects.change('a', ({ metadata }) => {
      metadata.labels = { a: 'b' };
    });
    assert.deepEqual([labelled.data, labelled.metadata.labels], [changed.data, { a: 'b' }]);
    await objects.delete('a');
    assert.equal(await exists(objects, 'a'), false);
  });
