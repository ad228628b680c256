import type { Kind } from '../../api/kind.ts';
import type { Clock } from '../../lib/clock.ts';
import { lookup } from '../../lib/lookup.ts';
import type { Counter, Gauge, Histogram, MetricRegistry } from '../../lib/metrics.ts';
import { type AuthMetrics, createAuthMetrics } from './auth-metrics.ts';
import { bodySize, type Exchange, type Filter, header, isStream, isTakenOver, mapAnswer } from './exchange.ts';
import { InFlight } from './in-flight.ts';
import type { RequestInfo } from './request-info.ts';

/** Upstream's names and labels (apiserver: pkg/endpoints/metrics/metrics.go). */
export interface RequestMetrics {
  readonly total: Counter;
  readonly duration: Histogram;
  /** Without the time in a queue, and without dry runs: what service level objectives are measured by. */
  readonly ownDuration: Histogram;
  readonly sizes: Histogram;
  readonly terminations: Counter;
  readonly longRunning: Gauge;
  readonly inFlight: InFlight;
  readonly auth: AuthMetrics;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const ownDurationBuckets = durationBuckets.slice(2);
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const resourceLabels = ['group', 'version', 'resource', 'subresource', 'scope', 'component'];

/** Registers the metrics. */
export function createRequestMetrics(registry: MetricRegistry, clock: Clock): RequestMetrics {
  const withDryRun = ['verb', 'dry_run', ...resourceLabels];
  const labels = ['verb', ...resourceLabels];
  const histogram = (name: string, help: string, buckets: readonly number[], of: readonly string[]): Histogram =>
    registry.histogram(`apiserver_${name}`, help, buckets, of);
  return {
    total: registry.counter('apiserver_request_total', 'Requests by what they were about, and HTTP status.', [
      ...withDryRun,
      'code',
      'system_client',
    ]),
    duration: histogram('request_duration_seconds', 'Time to answer, in seconds.', durationBuckets, withDryRun),
    ownDuration: histogram(
      'request_sli_duration_seconds',
      'Time to answer without the time a request waited for its turn, in seconds.',
      ownDurationBuckets,
      labels,
    ),
    sizes: histogram('response_sizes', 'Sizes of the answers to GET and LIST, in bytes.', sizeBuckets, labels),
    terminations: registry.counter(
      'apiserver_request_terminations_total',
      'Requests that the server gave up to protect itself, or because they took too long.',
      [...labels, 'code'],
    ),
    longRunning: registry.gauge('apiserver_longrunning_requests', 'Watches, logs, exec and proxies that are open.', labels),
    inFlight: new InFlight(registry, clock),
    auth: createAuthMetrics(registry, clock),
  };
}

/** Notes which kinds are asked for that will go one day. */
export function deprecationMetrics(registry: MetricRegistry): (kind: Kind, subresource: string) => void {
  const labels = ['group', 'version', 'resource', 'subresource', 'removed_release'];
  const requested = registry.gauge('apiserver_requested_deprecated_apis', 'Deprecated kinds that somebody asked for.', labels);
  return ({ group, version, plural }, subresource) => requested.set(1, [group, version, plural, subresource, '']);
}

/** The series of requests that are alike: looking them up one by one would cost more than all the rest of counting. */
interface RequestSeries {
  readonly labels: readonly string[];
  /** By status and client, `200` or `200 kube-scheduler`. */
  readonly total: Map<string | number, { value: number }>;
  readonly duration: (seconds: number) => void;
  readonly ownDuration: ((seconds: number) => void) | undefined;
  readonly size: ((bytes: number) => void) | undefined;
  /** Made for the first answer that goes on. */
  open: { value: number } | undefined;
}

/** Kinds of requests whose series are kept at hand; more than the busiest cluster has. */
const maxKnown = 2000;

/** Counts and times requests. `isServed` is false for resources nobody serves: their names are the clients' inventions, and are not kept. */
export function metricsFilter(
  metrics: RequestMetrics,
  { clock, isServed }: { clock: Clock; isServed: (info: RequestInfo) => boolean },
): Filter {
  const seriesOf = seriesCache(metrics, isServed);
  const done = (exchange: Exchange, series: RequestSeries, status: number, startedAtMs: number): void => {
    const elapsedMs = clock.monotonicMs() - startedAtMs;
    totalOf(metrics, series, status, exchange).value++;
    if (exchange.isGivenUp) metrics.terminations.inc([...withoutDryRun(series.labels), String(status)]);
    series.duration(elapsedMs / 1000);
    series.ownDuration?.((elapsedMs - exchange.waitedMs) / 1000);
  };
  return (exchange, next) => {
    const startedAtMs = clock.monotonicMs();
    return mapAnswer(next(exchange), (answer) => {
      const series = seriesOf(exchange);
      if (isTakenOver(answer) || isStream(answer)) {
        const open = (series.open ??= metrics.longRunning.at(withoutDryRun(series.labels)));
        open.value++;
        exchange.onClose(() => {
          open.value--;
          done(exchange, series, answer.status, startedAtMs);
        });
      } else {
        done(exchange, series, answer.status, startedAtMs);
        series.size?.(bodySize(answer));
      }
      return answer;
    });
  };
}

function seriesCache(metrics: RequestMetrics, isServed: (info: RequestInfo) => boolean): (exchange: Exchange) => RequestSeries {
  const known = new Map<string, RequestSeries>();
  return (exchange) => {
    const { info } = exchange;
    const verb = verbOf(exchange);
    const dryRun = exchange.query.size > 0 ? dryRunOf(exchange) : '';
    const scope = scopeOf(info);
    const key = `${verb} ${dryRun} ${scope} ${info.resource}.${info.group}/${info.version}/${info.subresource}`;
    const found = known.get(key);
    if (found) return found;
    const isKnown = !info.isResource || isServed(info);
    const series = createSeries(metrics, [verb, dryRun, ...(isKnown ? resourceOf(info) : noResource)]);
    if (isKnown && known.size < maxKnown) known.set(key, series);
    return series;
  };
}

function createSeries(metrics: RequestMetrics, labels: readonly string[]): RequestSeries {
  const [verb, dryRun] = labels;
  return {
    labels,
    total: new Map(),
    duration: metrics.duration.at(labels),
    ownDuration: dryRun === '' ? metrics.ownDuration.at(withoutDryRun(labels)) : undefined,
    size: verb === 'GET' || verb === 'LIST' ? metrics.sizes.at(withoutDryRun(labels)) : undefined,
    open: undefined,
  };
}

const withoutDryRun = ([verb, _dryRun, ...others]: readonly string[]): string[] => [verb!, ...others];

function totalOf({ total }: RequestMetrics, series: RequestSeries, status: number, exchange: Exchange): { value: number } {
  const client = systemClientOf(header(exchange, 'user-agent'));
  const key = client ? `${status} ${client}` : status;
  const known = series.total.get(key);
  if (known) return known;
  const counter = total.at([...series.labels, String(status), client]);
  series.total.set(key, counter);
  return counter;
}

/** Clients that are parts of a control plane. */
const systemClients: readonly string[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'cluster-policy-controller',
];

function systemClientOf(userAgent: string | undefined): string {
  // Nobody else begins so; what comes here is nearly always somebody else.
  if (!userAgent || !(userAgent.startsWith('kube-') || userAgent.startsWith('cluster-'))) return '';
  return systemClients.find((client) => userAgent.startsWith(`${client}/`)) ?? '';
}

const component = 'apiserver';
const noResource: readonly string[] = ['', '', '', '', '', component];

/** The values of `resourceLabels`. */
function resourceOf(info: RequestInfo): readonly string[] {
  if (!info.isResource) return noResource;
  return [info.group, info.version, info.resource, info.subresource, scopeOf(info), component];
}

function scopeOf({ isResource, name, verb, namespace }: RequestInfo): string {
  if (!isResource) return '';
  return name || verb === 'create' ? 'resource' : namespace ? 'namespace' : 'cluster';
}

function dryRunOf({ query }: Exchange): string {
  const values = query.getAll('dryRun');
  if (values.length === 0) return '';
  return values.every((value) => value === 'All') ? 'All' : 'invalid';
}

/** What metrics call the verbs of resources. */
const verbs: Readonly<Record<string, string>> = lookup({
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
});
const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** Sub-resources that are connections to a node. */
const connections: ReadonlySet<string> = new Set(['proxy', 'exec', 'attach', 'portforward', 'log']);

function verbOf(exchange: Exchange): string {
  const { info, method } = exchange;
  if (!info.isResource) return methods.has(method) ? method : method === 'HEAD' ? 'GET' : 'other';
  if (connections.has(info.subresource)) return 'CONNECT';
  if (info.verb === 'patch' && header(exchange, 'content-type')?.startsWith('application/apply-patch')) return 'APPLY';
  return verbs[info.verb] ?? 'other';
}
