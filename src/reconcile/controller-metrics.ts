import type { Counter, Histogram, MetricRegistry } from '../lib/metrics.ts';
import type { ControllerObserver, ControllerProbe } from './controller.ts';

/** Upstream's buckets reach from 10 ns to 10 s; below 100 µs nothing here ends. */
const durationBuckets = [0.0001, 0.001, 0.01, 0.1, 1, 10];

/** The work queues of the controllers, under upstream's names (component-base: metrics/prometheus/workqueue). */
export class ControllerMetrics implements ControllerObserver {
  readonly #probes = new Map<string, ControllerProbe>();
  readonly #duration: Histogram;
  readonly #retries: Counter;

  constructor(metrics: MetricRegistry) {
    const labels = ['name'];
    const read = (value: (probe: ControllerProbe) => number): (readonly [readonly string[], number])[] =>
      Array.from(this.#probes, ([name, probe]) => [[name], value(probe)] as const);
    const depth = { name: 'workqueue_depth', help: 'Keys waiting for a worker.' };
    metrics.collected({ ...depth, type: 'gauge', labels, read: () => read((probe) => probe.queueLength) });
    const adds = { name: 'workqueue_adds_total', help: 'Keys handed to workers.' };
    metrics.collected({ ...adds, type: 'counter', labels, read: () => read((probe) => probe.handled) });
    this.#duration = metrics.histogram(
      'workqueue_work_duration_seconds',
      'Time a key takes, in seconds.',
      durationBuckets,
      labels,
    );
    this.#retries = metrics.counter('workqueue_retries_total', 'Keys that came back after a failure.', labels);
  }

  created(controller: string, probe: ControllerProbe): void {
    this.#probes.set(controller, probe);
  }

  reconciled(controller: string, durationMs: number, failed: boolean): void {
    this.#duration.observe(durationMs / 1000, [controller]);
    if (failed) this.#retries.inc([controller]);
  }
}
