import type { Counter, Histogram, MetricRegistry } from '../../lib/metrics.ts';
import type { SeatLimits } from './seats.ts';

/** What went through a flow schema into its priority level. */
export interface FlowUse {
  readonly schema: string;
  readonly level: string;
  executing: number;
  waiting: number;
  /** Made when the first request comes. */
  series: FlowSeries | undefined;
}

export interface FlowSeries {
  readonly dispatched: { value: number };
  /** Observes the seconds a request waited for the seat it got; undefined where nobody ever waits. */
  readonly waited: ((seconds: number) => void) | undefined;
}

/** What can be read off the flow control. */
export interface FlowControlView {
  uses(): Iterable<FlowUse>;
  levels(): Iterable<{ readonly name: string; readonly limits: SeatLimits }>;
}

/** Why a request was turned away. */
export type Rejection = 'concurrency-limit' | 'queue-full' | 'time-out';

const waitBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const prefix = 'apiserver_flowcontrol_';
const flowLabels = ['priority_level', 'flow_schema'];

/** Upstream's names and labels (apiserver: pkg/util/flowcontrol/metrics/metrics.go). */
export class FlowControlMetrics {
  readonly #dispatched: Counter;
  readonly #rejected: Counter;
  readonly #waited: Histogram;

  constructor(metrics: MetricRegistry, view: FlowControlView) {
    this.#dispatched = metrics.counter(`${prefix}dispatched_requests_total`, 'Requests that got a seat.', flowLabels);
    this.#rejected = metrics.counter(`${prefix}rejected_requests_total`, 'Requests turned away.', [...flowLabels, 'reason']);
    const waitLabels = [...flowLabels, 'execute'];
    const wait = 'Time a request waited for its seat, in seconds.';
    this.#waited = metrics.histogram(`${prefix}request_wait_duration_seconds`, wait, waitBuckets, waitLabels);
    const uses = (name: string, help: string, value: (use: FlowUse) => number): void =>
      metrics.collected({ name: prefix + name, help, type: 'gauge', labels: flowLabels, read: () => readUses(view, value) });
    uses('current_inqueue_requests', 'Requests waiting for a seat.', (use) => use.waiting);
    uses('current_executing_requests', 'Requests that have a seat.', (use) => use.executing);
    uses('current_executing_seats', 'Seats that are taken: one by each request.', (use) => use.executing);
    metrics.collected({
      name: `${prefix}nominal_limit_seats`,
      help: 'The part of the server that belongs to a priority level, in requests at a time.',
      type: 'gauge',
      labels: ['priority_level'],
      read: () => Array.from(view.levels(), ({ name, limits }) => [[name], limits.nominal] as const),
    });
  }

  seriesOf({ level, schema }: FlowUse, mayWait: boolean): FlowSeries {
    return {
      dispatched: this.#dispatched.at([level, schema]),
      waited: mayWait ? this.#waited.at([level, schema, 'true']) : undefined,
    };
  }

  rejected({ level, schema }: FlowUse, reason: Rejection, waitedSeconds: number): void {
    this.#rejected.inc([level, schema, reason]);
    this.#waited.observe(waitedSeconds, [level, schema, 'false']);
  }
}

function* readUses(view: FlowControlView, value: (use: FlowUse) => number): Generator<readonly [readonly string[], number]> {
  for (const use of view.uses()) if (use.series) yield [[use.level, use.schema], value(use)];
}
