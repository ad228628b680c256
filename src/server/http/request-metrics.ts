import type { Clock } from '../../lib/clock.ts';
import { lookup } from '../../lib/lookup.ts';
import type { Counter, Gauge, Histogram, MetricRegistry } from '../../lib/metrics.ts';
import { type AuthMetrics, createAuthMetrics } from './auth-metrics.ts';
import { type Exchange, type Filter, header, isStream, isTakenOver, mapAnswer } from './exchange.ts';
import type { RequestInfo } from './request-info.ts';

/** Upstream's names and labels (apiserver: pkg/endpoints/metrics/metrics.go). */
export interface RequestMetrics {
  readonly total: Counter;
  readonly duration: Histogram;
  readonly inFlight: Gauge;
  readonly longRunning: Gauge;
  readonly auth: AuthMetrics;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const resourceLabels = ['group', 'version', 'resource', 'subresource', 'scope', 'component'];

export function createRequestMetrics(registry: MetricRegistry): RequestMetrics {
  const requestLabels = ['verb', 'dry_run', ...resourceLabels];
  const longRunning = ['verb', ...resourceLabels];
  return {
    total: registry.counter('apiserver_request_total', 'Requests by what they were about, and HTTP status.', [
      ...requestLabels,
      'code',
    ]),
    duration: registry.histogram(
      'apiserver_request_duration_seconds',
      'Time to answer, in seconds.',
      durationBuckets,
      requestLabels,
    ),
    inFlight: registry.gauge('apiserver_current_inflight_requests', 'Requests being worked on.', ['request_kind']),
    longRunning: registry.gauge('apiserver_longrunning_requests', 'Watches, logs, exec and proxies that are open.', longRunning),
    auth: createAuthMetrics(registry),
  };
}

/** `isServed` is false for resources nobody serves: their names are the clients' inventions, and are not kept. */
export function metricsFilter(
  metrics: RequestMetrics,
  { clock, isServed }: { clock: Clock; isServed: (info: RequestInfo) => boolean },
): Filter {
  return (exchange, next) => {
    const startedAtMs = clock.monotonicMs();
    return mapAnswer(next(exchange), (answer) => {
      const verb = verbOf(exchange);
      const resource = resourceOf(exchange.info, isServed);
      const request = [verb, exchange.query.has('dryRun') ? 'All' : '', ...resource];
      metrics.total.inc([...request, String(answer.status)]);
      if (isTakenOver(answer) || isStream(answer)) {
        const open = [verb, ...resource];
        metrics.longRunning.add(1, open);
        exchange.onClose(() => metrics.longRunning.add(-1, open));
      } else {
        metrics.duration.observe((clock.monotonicMs() - startedAtMs) / 1000, request);
      }
      return answer;
    });
  };
}

const component = 'apiserver';
const noResource: readonly string[] = ['', '', '', '', '', component];

/** The values of `resourceLabels`. */
function resourceOf(info: RequestInfo, isServed: (info: RequestInfo) => boolean): readonly string[] {
  if (!info.isResource || !isServed(info)) return noResource;
  const { group, version, resource, subresource, namespace, name, verb } = info;
  const scope = name || verb === 'create' ? 'resource' : namespace ? 'namespace' : 'cluster';
  return [group, version, resource, subresource, scope, component];
}

/** What metrics call the verbs of resources. */
const verbs: Readonly<Record<string, string>> = lookup({
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
});
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Sub-resources that are connections to a node. */
const connections: ReadonlySet<string> = new Set(['proxy', 'exec', 'attach', 'portforward']);

function verbOf(exchange: Exchange): string {
  const { info, method } = exchange;
  if (!info.isResource) return methods.has(method) ? method : 'other';
  if (connections.has(info.subresource)) return 'CONNECT';
  if (info.verb === 'patch' && header(exchange, 'content-type')?.startsWith('application/apply-patch')) return 'APPLY';
  return verbs[info.verb] ?? 'other';
}
