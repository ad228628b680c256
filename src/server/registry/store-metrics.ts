import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import type { KindTable } from './kind-table.ts';
import type { ObjectStore, WriteObserver } from './object-store.ts';
import { prefixOf } from './stored-form.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 8, 15, 30, 60];

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

/** Objects there are of each stored kind; counted when somebody asks. */
export function countObjects(metrics: MetricRegistry, kinds: KindTable, objects: ObjectStore): void {
  metrics.collected({
    name: 'apiserver_resource_objects',
    help: 'Number of stored objects.',
    type: 'gauge',
    labels: ['group', 'resource'],
    read: () =>
      kinds.all
        .filter((kind) => kind.verbs.includes('list') && kinds.stored(kind.storageResource) === kind)
        .map((kind) => [[kind.group, kind.plural], objects.cache.count(prefixOf(kind, undefined))] as const),
  });
}
