import { tooManyRequests } from '../../api/status-error.ts';
import type { UserInfo } from '../auth/user.ts';
import { mastersGroup, nodesGroup } from '../auth/user-names.ts';
import type { Filter } from './exchange.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** Requests worked on at the same time (apiserver: pkg/server/config.go MaxRequestsInFlight, MaxMutatingRequestsInFlight). */
const maxReading = 400;
const maxMutating = 200;
/** More of them for nodes: heartbeats must not starve behind a flood of others, or healthy nodes look dead. */
const reservedForNodes = 100;
const retryAfterSeconds = 1;

/** Counts requests; watches, logs and upgrades count only until their headers are sent. */
export class InFlightLimits {
  readonly #metrics: RequestMetrics;
  #reading = 0;
  #mutating = 0;

  constructor(metrics: RequestMetrics) {
    this.#metrics = metrics;
  }

  /** Returns what ends the request's place, or undefined when there is none. Whoever may do everything is never turned away, as upstream. */
  enter(mutating: boolean, { groups }: UserInfo): (() => void) | undefined {
    const room = groups.includes(mastersGroup) ? Number.POSITIVE_INFINITY : groups.includes(nodesGroup) ? reservedForNodes : 0;
    if (mutating ? this.#mutating >= maxMutating + room : this.#reading >= maxReading + room) return undefined;
    const kind = [mutating ? 'mutating' : 'readOnly'];
    const count = (by: number): void => {
      if (mutating) this.#mutating += by;
      else this.#reading += by;
      this.#metrics.inFlight.add(by, kind);
    };
    count(1);
    return () => count(-1);
  }
}

const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function inFlightFilter(limits: InFlightLimits): Filter {
  return (exchange, next) => {
    const leave = limits.enter(!readMethods.has(exchange.method), exchange.user);
    if (!leave) throw tooManyRequests('the server is busy with other requests, try again in a moment', retryAfterSeconds);
    try {
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.finally(leave);
      leave();
      return answer;
    } catch (error) {
      leave();
      throw error;
    }
  };
}
