import type { Clock } from '../../lib/clock.ts';
import { doublingBuckets, type Histogram, type MetricRegistry } from '../../lib/metrics.ts';
import type { QueuedPod, SchedulingQueue } from './queue.ts';

type Result = 'scheduled' | 'unschedulable' | 'error';

/** The only profile there is. */
const profile = 'default-scheduler';
/** From this many attempts on they are told together, as upstream does. */
const maxTold = 15;
const queues = ['active', 'backoff', 'unschedulable'] as const;

/** What the scheduler does, under upstream's names (pkg/scheduler/metrics/metrics.go). */
export class SchedulerMetrics {
  readonly #clock: Clock;
  readonly #ended: Readonly<Record<Result, (seconds: number) => void>>;
  readonly #algorithm: (seconds: number) => void;
  readonly #waited: Histogram;
  readonly #attempts: (attempts: number) => void;
  readonly #preemptions: { value: number };
  readonly #victims: (victims: number) => void;

  constructor(metrics: MetricRegistry, clock: Clock, queue: SchedulingQueue) {
    this.#clock = clock;
    const histogram = (name: string, help: string, buckets: number[], labels: string[] = []): Histogram =>
      metrics.histogram(`scheduler_${name}`, help, buckets, labels);
    const total = metrics.counter('scheduler_schedule_attempts_total', 'Attempts to find a node for a pod.', [
      'profile',
      'result',
    ]);
    const help = 'Time of an attempt, the binding included, in seconds.';
    const durations = histogram('scheduling_attempt_duration_seconds', help, doublingBuckets(0.001, 15), ['profile', 'result']);
    const ended = (result: Result): ((seconds: number) => void) => {
      const [count, took] = [total.at([profile, result]), durations.at([profile, result])];
      return (seconds) => {
        count.value++;
        took(seconds);
      };
    };
    this.#ended = { scheduled: ended('scheduled'), unschedulable: ended('unschedulable'), error: ended('error') };
    const algorithm = 'Time to find a node, in seconds.';
    this.#algorithm = histogram('scheduling_algorithm_duration_seconds', algorithm, doublingBuckets(0.001, 15)).at([]);
    const waited = 'Time from when a pod came until it had a node, in seconds.';
    this.#waited = histogram('pod_scheduling_sli_duration_seconds', waited, doublingBuckets(0.01, 20), ['attempts']);
    this.#attempts = histogram('pod_scheduling_attempts', 'Attempts until a pod had a node.', doublingBuckets(1, 5)).at([]);
    this.#preemptions = metrics.counter('scheduler_preemption_attempts_total', 'Attempts to make room for a pod.').at([]);
    this.#victims = histogram('preemption_victims', 'Pods that had to go for another one.', doublingBuckets(1, 7)).at([]);
    metrics.collected({
      name: 'scheduler_pending_pods',
      help: 'Pods without a node, by what they wait for.',
      type: 'gauge',
      labels: ['queue'],
      read: () => queues.map((name) => [[name], count(queue.entries(), name)] as const),
    });
  }

  /** For `decided`, `bound` and `failed`: when an attempt began. */
  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** It is decided whether there is a node. */
  decided(startedAtMs: number): void {
    this.#algorithm(this.#since(startedAtMs));
  }

  bound({ attempts, addedAtMs }: QueuedPod, startedAtMs: number): void {
    this.#ended.scheduled(this.#since(startedAtMs));
    this.#attempts(attempts);
    const told = attempts >= maxTold ? `${maxTold}+` : String(attempts);
    this.#waited.observe(Math.max(0, this.#clock.now() - addedAtMs) / 1000, [told]);
  }

  failed(result: 'unschedulable' | 'error', startedAtMs: number): void {
    this.#ended[result](this.#since(startedAtMs));
  }

  preempting(victims: number): void {
    this.#preemptions.value++;
    if (victims > 0) this.#victims(victims);
  }

  #since(startedAtMs: number): number {
    return (this.#clock.monotonicMs() - startedAtMs) / 1000;
  }
}

function count(entries: Iterable<QueuedPod>, state: QueuedPod['state']): number {
  let found = 0;
  for (const entry of entries) if (entry.state === state) found++;
  return found;
}
