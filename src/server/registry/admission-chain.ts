import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts';

const durationBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** Runs every plugin in order: first all that may change the object, later (after validation) all that may only refuse it. */
export class AdmissionChain {
  readonly #admitting: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];
  readonly #observe: (type: 'admit' | 'validate', request: AdmissionRequest, rejected: boolean, startedAtMs: number) => void;
  readonly #clock: Clock;

  constructor(plugins: readonly AdmissionPlugin[], { clock, metrics }: { clock: Clock; metrics: MetricRegistry }) {
    this.#admitting = plugins.filter((plugin) => plugin.admit);
    this.#validating = plugins.filter((plugin) => plugin.validate);
    this.#clock = clock;
    const durations = metrics.histogram(
      'apiserver_admission_step_admission_duration_seconds',
      'Time that all plugins of one step took, in seconds.',
      durationBuckets,
      ['operation', 'rejected', 'type'],
    );
    this.#observe = (type, { operation }, rejected, startedAtMs) =>
      durations.observe((clock.monotonicMs() - startedAtMs) / 1000, [operation, String(rejected), type]);
  }

  admit(request: AdmissionRequest): Promise<void> {
    return this.#step('admit', request, this.#admitting);
  }

  validate(request: AdmissionRequest): Promise<void> {
    return this.#step('validate', request, this.#validating);
  }

  async #step(type: 'admit' | 'validate', request: AdmissionRequest, plugins: readonly AdmissionPlugin[]): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    let rejected = true;
    try {
      for (const plugin of plugins) {
        const pending = plugin[type]!(request);
        if (pending) await pending;
      }
      rejected = false;
    } finally {
      this.#observe(type, request, rejected, startedAtMs);
    }
  }
}
