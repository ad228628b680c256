import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json, Resource } from './support/api.ts';
import { controlPlane } from './support/control-plane.ts';
import type { WatchStream } from './support/watch-stream.ts';

const plane = controlPlane();
const configMaps = 'v1/configmaps';
const label = 'watch-this';
const labelled = (name: string, value: string): Json => ({ metadata: { name, labels: { [label]: value } } });
const mutate = (maps: Resource, name: string, value: string): Promise<Json> =>
  maps.change(name, (map) => {
    map.data = { mutation: value };
  });
const relabel = (maps: Resource, name: string, value: string): Promise<Json> =>
  maps.change(name, (map) => {
    map.metadata.labels[label] = value;
  });

it('[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]', async () => {
  const maps = await plane.inNewNamespace(configMaps);
  const watching = (...values: string[]): Promise<WatchStream> =>
    maps.watch({ labelSelector: `${label} in (${values.join(',')})` });
  const [a, b, either] = [await watching('A'), await watching('B'), await watching('A', 'B')];

  const first = await maps.create(labelled('a', 'A'));
  const changes = [await mutate(maps, 'a', '1'), await mutate(maps, 'a', '2')];
  await maps.delete('a');
  await maps.create(labelled('b', 'B'));
  await maps.delete('b');
  const again = await maps.create(labelled('a', 'A'));

  for (const watch of [a, either]) {
    await watch.expect('ADDED', first);
    for (const change of changes) await watch.expect('MODIFIED', change);
    const deleted = await watch.expect('DELETED');
    assert.equal(deleted.metadata.uid, first.metadata.uid);
  }
  for (const watch of [b, either]) {
    for (const type of ['ADDED', 'DELETED']) assert.equal((await watch.expect(type)).metadata.name, 'b');
  }
  // Nothing of b came in between.
  for (const watch of [a, either]) await watch.expect('ADDED', again);
});

it('[sig-api-machinery] Watchers should be able to start watching from a specific resource version [Conformance]', async () => {
  const maps = await plane.inNewNamespace(configMaps);
  await maps.create(labelled('a', 'A'));
  const first = await mutate(maps, 'a', '1');
  const second = await mutate(maps, 'a', '2');
  await maps.delete('a');
  const watch = await maps.watch({ resourceVersion: first.metadata.resourceVersion, labelSelector: `${label}=A` });
  await watch.expect('MODIFIED', second);
  await watch.expect('DELETED');
});

it('[sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]', async () => {
  const maps = await plane.inNewNamespace(configMaps);
  const watch = await maps.watch({ labelSelector: `${label}=A` });
  await maps.create(labelled('a', 'A'));
  await mutate(maps, 'a', '1');
  await watch.expect('ADDED');
  const last = await watch.expect('MODIFIED');
  watch.stop();
  const missed = await mutate(maps, 'a', '2');
  const again = await maps.watch({ resourceVersion: last.metadata.resourceVersion, labelSelector: `${label}=A` });
  await maps.delete('a');
  await again.expect('MODIFIED', missed);
  await again.expect('DELETED');
});

it('[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]', async () => {
  const maps = await plane.inNewNamespace(configMaps);
  const watch = await maps.watch({ labelSelector: `${label}=A` });
  const created = await maps.create(labelled('a', 'A'));
  const first = await mutate(maps, 'a', '1');
  const without = await relabel(maps, 'a', 'B');
  await watch.expect('ADDED', created);
  await watch.expect('MODIFIED', first);
  const left = await watch.expect('DELETED');
  assert.equal(left.metadata.resourceVersion, without.metadata.resourceVersion);

  await mutate(maps, 'a', '2');
  const restored = await relabel(maps, 'a', 'A');
  const third = await mutate(maps, 'a', '3');
  await maps.delete('a');
  // What happened in between is not the watch's.
  await watch.expect('ADDED', restored);
  await watch.expect('MODIFIED', third);
  await watch.expect('DELETED');
});

it('[sig-api-machinery] Watchers should receive events on concurrent watches in same order [Conformance]', async () => {
  const maps = await plane.inNewNamespace(configMaps);
  const writing = new AbortController();
  const writer = writeUntil(maps, writing.signal);
  const watches: WatchStream[] = [];
  let { resourceVersion } = (await maps.list()).metadata;
  for (let n = 0; n < 100; n++) {
    watches.push(await maps.watch({ resourceVersion }));
    const versions = await Promise.all(watches.map(async (watch) => (await watch.next()).object.metadata.resourceVersion));
    assert.deepEqual(versions, Array(watches.length).fill(versions[0]));
    resourceVersion = versions[0];
  }
  writing.abort();
  for (const watch of watches) watch.stop();
  await writer;
});

/** Creates, changes and deletes ConfigMaps, one write after the other. */
async function writeUntil(maps: Resource, stop: AbortSignal): Promise<void> {
  const names: string[] = [];
  for (let n = 0; !stop.aborted; n++) {
    const pick = names[n % names.length];
    if (pick === undefined || n % 3 === 0) {
      names.push(`m-${n}`);
      await maps.create({ metadata: { name: `m-${n}` } });
    } else if (n % 3 === 1) {
      await mutate(maps, pick, String(n));
    } else {
      names.splice(names.indexOf(pick), 1);
      await maps.delete(pick);
    }
  }
}
