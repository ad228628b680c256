import { MetricRegistry } from '../../lib/metrics.ts';
import { type Answer, type Exchange, textAnswer } from './exchange.ts';

/** One thing that must be well for the server to be. Returns what is wrong, or undefined. */
export interface HealthCheck {
  readonly name: string;
  /** Asked for `/readyz` only: not a reason to restart the server. */
  readonly readyOnly?: boolean;
  check(): string | undefined;
}

/** Steps of starting that upstream has checks for; all are done when objects are loaded and what every cluster has is written. */
const startSteps: readonly string[] = [
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'start-system-namespaces-controller',
  'storage-readiness',
  'start-service-ip-repair-controllers',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
];

/** The checks of the API server itself, under upstream's names where it has a part of that name; `more` come before the last. */
export function serverChecks(
  state: { isLoaded(): boolean; isStopping(): boolean },
  more: readonly HealthCheck[],
): readonly HealthCheck[] {
  const loaded = (): string | undefined => (state.isLoaded() ? undefined : 'objects are being loaded');
  return [
    { name: 'ping', check: () => undefined },
    { name: 'etcd', check: loaded },
    { name: 'informer-sync', readyOnly: true, check: loaded },
    ...startSteps.map((step) => ({ name: `poststarthook/${step}`, check: loaded })),
    ...more,
    { name: 'shutdown', readyOnly: true, check: () => (state.isStopping() ? 'process is shutting down' : undefined) },
  ];
}

const plainText = 'text/plain; charset=utf-8';

const endpoints: ReadonlySet<string> = new Set(['healthz', 'livez', 'readyz']);

/** The paths of all checks, for the list of paths. */
export function healthPaths(checks: readonly HealthCheck[]): string[] {
  return [...endpoints].flatMap((endpoint) => {
    const asked = checks.filter((check) => endpoint === 'readyz' || !check.readyOnly);
    return [`/${endpoint}`, ...asked.map(({ name }) => `/${endpoint}/${name}`)];
  });
}

/** How the checks went that somebody asked for, under upstream's names (component-base: metrics/prometheus/slis). */
export class HealthMetrics {
  readonly #registry = new MetricRegistry();
  readonly #now = this.#registry.gauge('kubernetes_healthcheck', 'The last result of a check: 1 is well.', ['name', 'type']);
  readonly #all = this.#registry.counter('kubernetes_healthchecks_total', 'Results of checks.', ['name', 'status', 'type']);

  observe(name: string, type: string, isWell: boolean): void {
    this.#now.set(isWell ? 1 : 0, [name, type]);
    this.#all.inc([name, isWell ? 'success' : 'error', type]);
  }

  render(): string {
    return this.#registry.render();
  }
}

/**
 * `/healthz`, `/livez`, `/readyz`, with `?verbose`, `?exclude=` and one check as `/readyz/<name>` (apiserver: pkg/server/healthz). Anybody may ask
 * for all; what is wrong is told to those who may ask for the one.
 */
export function healthAnswer(exchange: Exchange, checks: readonly HealthCheck[], metrics: HealthMetrics): Answer | undefined {
  const [endpoint = '', ...rest] = exchange.path.split('/').slice(1);
  if (!endpoints.has(endpoint)) return undefined;
  const asked = checks.filter((check) => endpoint === 'readyz' || !check.readyOnly);
  if (rest.length > 0) return oneCheck(asked, rest.join('/'));
  const excluded = new Set(exchange.query.getAll('exclude'));
  const lines: string[] = [];
  const failures: string[] = [];
  for (const check of asked) {
    const excluding = excluded.delete(check.name);
    const isWell = excluding || check.check() === undefined;
    if (!isWell) failures.push(check.name);
    if (!excluding) metrics.observe(check.name, endpoint, isWell);
    lines.push(`[${isWell ? '+' : '-'}]${check.name} ${excluding ? 'excluded: ok' : isWell ? 'ok' : 'failed: reason withheld'}`);
  }
  if (excluded.size > 0) {
    const names = [...excluded]
      .sort()
      .map((name) => JSON.stringify(name))
      .join(',');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failures.length > 0) return textAnswer(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
  if (!exchange.query.has('verbose')) return textAnswer(200, 'ok');
  return textAnswer(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
}

function oneCheck(checks: readonly HealthCheck[], name: string): Answer | undefined {
  const check = checks.find((c) => c.name === name);
  if (!check) return undefined;
  const problem = check.check();
  if (problem === undefined) return { status: 200, headers: { 'content-type': plainText }, parts: [Buffer.from('ok')] };
  return textAnswer(500, `internal server error: ${problem}\n`);
}
