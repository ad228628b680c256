import type { Clock } from '../../lib/clock.ts';
import { type Counter, doublingBuckets, type Histogram, type MetricRegistry } from '../../lib/metrics.ts';
import type { Decision } from '../auth/authorizer.ts';

/** How often requests were known and allowed, and how long it took to find out, under upstream's names. */
export interface AuthMetrics {
  readonly authenticated: Readonly<Record<'success' | 'error', Outcome>>;
  readonly authorized: Readonly<Record<Decision['verdict'], Outcome>>;
  nowMs(): number;
}

const durationBuckets = doublingBuckets(0.001, 15);

/** Registers the metrics. */
export function createAuthMetrics(registry: MetricRegistry, clock: Clock): AuthMetrics {
  const duration = (name: string, help: string): Histogram => registry.histogram(name, help, durationBuckets, ['result']);
  const attempts = registry.counter('authentication_attempts', 'Requests by whether their credentials were good.', ['result']);
  const decisions = registry.counter('authorization_attempts_total', 'Requests by whether they were allowed.', ['result']);
  const knowing = duration('authentication_duration_seconds', 'Time to find out who makes a request, in seconds.');
  const deciding = duration('authorization_duration_seconds', 'Time to find out whether a request is allowed, in seconds.');
  const known = (result: string): Outcome => new Outcome(attempts, knowing, { result, clock });
  const decided = (result: string): Outcome => new Outcome(decisions, deciding, { result, clock });
  return {
    authenticated: { success: known('success'), error: known('error') },
    authorized: { allow: decided('allowed'), deny: decided('denied'), noOpinion: decided('no-opinion') },
    nowMs: () => clock.monotonicMs(),
  };
}

/** One way it can end. It has its series at hand, so that counting costs next to nothing. */
export class Outcome {
  readonly #total: { value: number };
  readonly #observe: (seconds: number) => void;
  readonly #clock: Clock;

  constructor(total: Counter, duration: Histogram, { result, clock }: { result: string; clock: Clock }) {
    this.#total = total.at([result]);
    this.#observe = duration.at([result]);
    this.#clock = clock;
  }

  get count(): number {
    return this.#total.value;
  }

  add(startedAtMs: number): void {
    this.#total.value++;
    this.#observe((this.#clock.monotonicMs() - startedAtMs) / 1000);
  }
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const lifetimeBuckets = [
  ...[0, 30 * minute, hour, 2 * hour, 6 * hour, 12 * hour],
  ...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * day),
];

/** How long the certificates of clients are still good, by which people are warned of those that end soon. */
export function certificateLifetimes(registry: MetricRegistry): (remainingSeconds: number) => void {
  const name = 'apiserver_client_certificate_expiration_seconds';
  return registry
    .histogram(name, 'How long the certificates are still good that requests came with, in seconds.', lifetimeBuckets)
    .at([]);
}
