import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import type { AdmissionPlugin, AdmissionRequest, Operation } from '../admission/admission.ts';
import { AdmissionMetrics, type StepTimes, type StepType } from './admission-metrics.ts';

interface Step {
  readonly type: StepType;
  readonly plugins: readonly AdmissionPlugin[];
  readonly times: Map<Operation, StepTimes>;
}

/** Runs every plugin in order: first all that may change the object, later (after validation) all that may only refuse it. */
export class AdmissionChain {
  readonly #admitting: Step;
  readonly #validating: Step;
  readonly #clock: Clock;
  readonly #metrics: AdmissionMetrics;

  constructor(plugins: readonly AdmissionPlugin[], { clock, metrics }: { clock: Clock; metrics: MetricRegistry }) {
    this.#clock = clock;
    this.#metrics = new AdmissionMetrics(metrics);
    const step = (type: StepType): Step => ({ type, plugins: plugins.filter((plugin) => plugin[type]), times: new Map() });
    this.#admitting = step('admit');
    this.#validating = step('validate');
  }

  admit(request: AdmissionRequest): Promise<void> {
    return this.#run(this.#admitting, request);
  }

  validate(request: AdmissionRequest): Promise<void> {
    return this.#run(this.#validating, request);
  }

  async #run(step: Step, request: AdmissionRequest): Promise<void> {
    const { type, plugins } = step;
    const { whole, each } = this.#timesOf(step, request.operation);
    const startedAtMs = this.#clock.monotonicMs();
    let sinceMs = startedAtMs;
    for (let i = 0; i < plugins.length; i++) {
      const plugin = plugins[i]!;
      try {
        const pending = plugin[type]!(request);
        if (pending) await pending;
      } catch (error) {
        const nowMs = this.#clock.monotonicMs();
        const seconds = { step: (nowMs - startedAtMs) / 1000, plugin: (nowMs - sinceMs) / 1000 };
        this.#metrics.rejected(type, request.operation, plugin.name, seconds);
        throw error;
      }
      const nowMs = this.#clock.monotonicMs();
      each[i]!((nowMs - sinceMs) / 1000);
      sinceMs = nowMs;
    }
    whole((sinceMs - startedAtMs) / 1000);
  }

  #timesOf({ type, plugins, times }: Step, operation: Operation): StepTimes {
    let found = times.get(operation);
    if (!found) times.set(operation, (found = this.#metrics.times(type, operation, plugins)));
    return found;
  }
}
