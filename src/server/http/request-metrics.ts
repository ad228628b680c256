import type { Clock } from '../../lib/clock.ts';
import type { Counter, Gauge, Histogram, MetricRegistry } from '../../lib/metrics.ts';
import { type Exchange, type Filter, isStream, isTakenOver, mapAnswer } from './exchange.ts';

/** Upstream's names (apiserver: pkg/endpoints/metrics/metrics.go). */
export interface RequestMetrics {
  readonly total: Counter;
  readonly duration: Histogram;
  readonly inFlight: Gauge;
  readonly longRunning: Gauge;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 8, 15, 30, 60];

export function createRequestMetrics(registry: MetricRegistry): RequestMetrics {
  return {
    total: registry.counter(
      'apiserver_request_total',
      'Requests by verb, group, version, resource, subresource and HTTP status.',
      ['verb', 'group', 'version', 'resource', 'subresource', 'code'],
    ),
    duration: registry.histogram('apiserver_request_duration_seconds', 'Time to answer, in seconds.', durationBuckets, [
      'verb',
      'resource',
    ]),
    inFlight: registry.gauge('apiserver_current_inflight_requests', 'Requests being worked on.', ['request_kind']),
    longRunning: registry.gauge('apiserver_longrunning_requests', 'Watches, logs, exec and proxies that are open.', [
      'verb',
      'resource',
    ]),
  };
}

export function metricsFilter(metrics: RequestMetrics, clock: Clock): Filter {
  return (exchange, next) => {
    const startedAtMs = clock.monotonicMs();
    return mapAnswer(next(exchange), (answer) => {
      const { group, version, resource, subresource } = exchange.info;
      const verb = verbLabel(exchange);
      metrics.total.inc([verb, group, version, resource, subresource, String(answer.status)]);
      if (isTakenOver(answer) || isStream(answer)) {
        metrics.longRunning.add(1, [verb, resource]);
        exchange.onClose(() => metrics.longRunning.add(-1, [verb, resource]));
      } else {
        metrics.duration.observe((clock.monotonicMs() - startedAtMs) / 1000, [verb, resource]);
      }
      return answer;
    });
  };
}

/** Verbs in capitals; methods that are none of HTTP's count as one. */
function verbLabel(exchange: Exchange): string {
  const verb = exchange.info.isResource ? exchange.info.verb : exchange.method;
  return /^[a-zA-Z]{3,16}$/.test(verb) ? verb.toUpperCase() : 'OTHER';
}
