import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Pod } from '../../api/kinds/core/pod.ts';
import { builtinKinds } from '../../api/kinds/index.ts';
import { FakeClock } from '../../lib/clock.ts';
import { MemoryStore } from '../../storage/memory-store.ts';
import { createWatchCache } from '../../storage/watch-cache-impl.ts';
import { KindTable } from './kind-table.ts';
import { ObjectStore } from './object-store.ts';

const namespace = 'default';
const managedFields = [{ manager: 'kubectl', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } }];
const pod = (name: string, image: string, phase = 'Pending'): Pod =>
  ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace, uid: name, resourceVersion: '', creationTimestamp: '', managedFields },
    spec: { containers: [{ name: 'c', image }] },
    status: { phase },
  }) as unknown as Pod;

describe('objects over a store', () => {
  let objects: ObjectStore;
  beforeEach(async () => {
    const store = new MemoryStore();
    await store.open();
    const clock = new FakeClock();
    objects = new ObjectStore({
      store,
      kinds: new KindTable(builtinKinds),
      newCache: (indexer) => createWatchCache({ indexer, historyEvents: 16, historyBytes: 65_536, clock }),
    });
    await objects.load();
  });

  const put = (object: Pod, expected = 0): Promise<Pod> =>
    objects.put(Pod, object.metadata, objects.encode(Pod, object), expected);
  const get = (name: string): Pod => objects.get(Pod, { namespace, name })!;

  it('shares the equal parts of those of one kind', async () => {
    const [a, b] = [await put(pod('a', 'nginx')), await put(pod('b', 'nginx'))];
    assert.equal(a.spec.containers, b.spec.containers);
    assert.equal(get('b'), b);
    const c = await put(pod('c', 'caddy'));
    assert.notEqual(c.spec.containers, a.spec.containers);
  });

  it('shares what a change left as it was, whatever came between', async () => {
    const seen: (Pod | undefined)[][] = [];
    objects.onChange(Pod, (next, previous) => seen.push([next, previous]));
    const a = await put(pod('a', 'nginx'));
    const b = await put(pod('b', 'caddy'));
    const changed = await put(pod('a', 'nginx', 'Running'), Number(a.metadata.resourceVersion));
    assert.deepEqual(seen, [
      [a, undefined],
      [b, undefined],
      [changed, a],
    ]);
    assert.equal(changed.spec, a.spec);
    assert.equal(changed.status.phase, 'Running');
  });

  it('parses managedFields when somebody looks at them', async () => {
    const { metadata } = await put(pod('a', 'nginx'));
    assert.equal(typeof Object.getOwnPropertyDescriptor(metadata, 'managedFields')?.get, 'function');
    assert.deepEqual(metadata.managedFields, managedFields);
  });

  it('gives each writer of one commit what it wrote', async () => {
    const first = put(pod('a', 'nginx'));
    const revision = objects.newest(Pod, { namespace, name: 'a' })!.revision;
    const second = put(pod('a', 'caddy'), revision);
    const images = [await first, await second].map(({ spec, metadata }) => [spec.containers[0]!.image, metadata.resourceVersion]);
    assert.deepEqual(images, [
      ['nginx', String(revision)],
      ['caddy', String(objects.revision)],
    ]);
    assert.equal(objects.entryOf(Pod, await first), undefined);
    assert.equal(objects.entryOf(Pod, await second)?.revision, objects.revision);
  });
});
