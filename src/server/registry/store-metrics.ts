import { statSync } from 'node:fs';
import { groupResource, type Kind } from '../../api/kind.ts';
import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import type { KindTable } from './kind-table.ts';
import type { ObjectStore, WriteObserver } from './object-store.ts';
import { prefixOf } from './stored-form.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/** How long writes take until they are on the disk, under the name upstream has for etcd. Reads do not reach the store. */
export function observeWrites(metrics: MetricRegistry, clock: Clock): WriteObserver {
  const name = 'etcd_request_duration_seconds';
  const help = 'Time of writes to the store until they are durable, in seconds.';
  const duration = metrics.histogram(name, help, durationBuckets, ['operation', 'group', 'resource']);
  return (operation, { group, plural }) => {
    const startedAtMs = clock.monotonicMs();
    return () => duration.observe((clock.monotonicMs() - startedAtMs) / 1000, [operation, group, plural]);
  };
}

/** The size of the store on the disk, its log included. */
export function measureStore(metrics: MetricRegistry, file: string): void {
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  metrics.collected({
    name: 'apiserver_storage_size_bytes',
    help: 'Size of the store on the disk, in bytes.',
    type: 'gauge',
    labels: ['storage_cluster_id'],
    read: () => [[['sqlite'], sizeOf(file) + sizeOf(`${file}-wal`)]],
  });
}

/** Objects there are of each stored kind; counted when somebody asks. */
export function countObjects(metrics: MetricRegistry, kinds: KindTable, objects: ObjectStore): void {
  const counted = (name: string, labels: readonly string[], valuesOf: (kind: Kind) => readonly string[]): void =>
    metrics.collected({
      ...{ name, help: 'Number of stored objects.', type: 'gauge', labels },
      read: () =>
        kinds.all
          .filter((kind) => kind.verbs.includes('list') && kinds.stored(kind.storageResource) === kind)
          .map((kind) => [valuesOf(kind), objects.cache.count(prefixOf(kind, undefined))] as const),
    });
  counted('apiserver_resource_objects', ['group', 'resource'], ({ group, plural }) => [group, plural]);
  // The name of old, which dashboards still ask for.
  counted('apiserver_storage_objects', ['resource'], (kind) => [groupResource(kind)]);
}
