import type { Histogram, MetricRegistry } from '../../lib/metrics.ts';
import type { AdmissionPlugin, Operation } from '../admission/admission.ts';

const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const labels = ['operation', 'rejected', 'type'];

/** One of the two rounds of plugins. */
export type StepType = 'admit' | 'validate';

type Observe = (seconds: number) => void;

/** Where the times of one step go for one operation: every write passes here, so the series are looked up once. */
export interface StepTimes {
  readonly whole: Observe;
  /** In the order of the plugins. */
  readonly each: readonly Observe[];
}

/** How long admission takes, under upstream's names (apiserver: pkg/admission/metrics/metrics.go). */
export class AdmissionMetrics {
  readonly #step: Histogram;
  readonly #plugin: Histogram;

  constructor(metrics: MetricRegistry) {
    const prefix = 'apiserver_admission_';
    const step = 'Time that all plugins of one step took, in seconds.';
    this.#step = metrics.histogram(`${prefix}step_admission_duration_seconds`, step, durationBuckets, labels);
    const plugin = 'Time that one plugin took, in seconds.';
    this.#plugin = metrics.histogram(`${prefix}controller_admission_duration_seconds`, plugin, durationBuckets, [
      'name',
      ...labels,
    ]);
  }

  times(type: StepType, operation: Operation, plugins: readonly AdmissionPlugin[]): StepTimes {
    const values = [operation, 'false', type];
    return { whole: this.#step.at(values), each: plugins.map(({ name }) => this.#plugin.at([name, ...values])) };
  }

  rejected(type: StepType, operation: Operation, plugin: string, seconds: { step: number; plugin: number }): void {
    const values = [operation, 'true', type];
    this.#step.observe(seconds.step, values);
    this.#plugin.observe(seconds.plugin, [plugin, ...values]);
  }
}
