import type { MetricRegistry } from './metrics.ts';
import type { WorkQueue, WorkQueueObserver } from './workqueue.ts';

/** Upstream's buckets reach from 10 ns to 10 s; below 100 µs nothing here ends. */
const durationBuckets = [0.0001, 0.001, 0.01, 0.1, 1, 10];
const labels = ['name'];

type View = Pick<WorkQueue, 'size' | 'handled' | 'runningMs'>;

/** Work queues by name, under upstream's names (component-base: metrics/prometheus/workqueue). */
export function createWorkQueueMetrics(metrics: MetricRegistry): (name: string) => WorkQueueObserver {
  const queues = new Map<string, View>();
  const collected = (name: string, help: string, value: (queue: View) => number, type: 'gauge' | 'counter' = 'gauge'): void =>
    metrics.collected({
      ...{ name: `workqueue_${name}`, help, type, labels },
      read: () => Array.from(queues, ([queue, view]) => [[queue], value(view)] as const),
    });
  const seconds = (ms: number): number => ms / 1000;
  collected('depth', 'Keys waiting for a worker.', ({ size }) => size);
  collected('adds_total', 'Keys that were added and not there yet.', ({ size, handled }) => size + handled, 'counter');
  collected('unfinished_work_seconds', 'Time that the keys being worked on have taken so far, together, in seconds.', (queue) =>
    seconds(queue.runningMs.reduce((sum, ms) => sum + ms, 0)),
  );
  collected('longest_running_processor_seconds', 'Time that the longest of them has taken so far, in seconds.', (queue) =>
    seconds(Math.max(0, ...queue.runningMs)),
  );
  const waits = metrics.histogram(
    'workqueue_queue_duration_seconds',
    'Time a key waits for a worker, in seconds.',
    durationBuckets,
    labels,
  );
  const runs = metrics.histogram('workqueue_work_duration_seconds', 'Time a key takes, in seconds.', durationBuckets, labels);
  const retries = metrics.counter('workqueue_retries_total', 'Keys that came back after a failure.', labels);
  return (name) => {
    const [waited, ran, retried] = [waits.at([name]), runs.at([name]), retries.at([name])];
    return {
      created: (queue) => queues.set(name, queue),
      started: (waitedMs) => waited(seconds(waitedMs)),
      done(durationMs, failed) {
        ran(seconds(durationMs));
        if (failed) retried.value++;
      },
    };
  };
}
