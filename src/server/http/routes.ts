import { methodNotAllowed } from '../../api/status-error.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import { type Answer, type Exchange, type Handler, pathNotFound } from './exchange.ts';
import { type HealthCheck, HealthMetrics, healthAnswer, healthPaths } from './health.ts';
import { valueAnswer } from './status-answer.ts';
import { versionInfo } from './version-info.ts';

/** Answers paths of its own; undefined: not mine. */
export type PathHandler = (exchange: Exchange) => Promise<Answer> | Answer | undefined;

export interface RouteDeps {
  readonly resources: Handler;
  readonly discovery: PathHandler;
  /** By first path segment: `openapi`, `.well-known`, `cacerts`. */
  readonly paths: ReadonlyMap<string, PathHandler>;
  readonly health: readonly HealthCheck[];
  /** What `/` lists besides the paths every server has. */
  readonly knownPaths: () => readonly string[];
  readonly metrics: MetricRegistry;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** Where a request goes that has passed all filters. */
export function createRoutes(deps: RouteDeps): Handler {
  const others: OtherDeps = { ...deps, healthMetrics: new HealthMetrics() };
  return (exchange) => (exchange.info.isResource ? deps.resources(exchange) : otherPath(others, exchange));
}

interface OtherDeps extends RouteDeps {
  readonly healthMetrics: HealthMetrics;
}

async function otherPath(deps: OtherDeps, exchange: Exchange): Promise<Answer> {
  const segment = exchange.path.split('/', 2)[1] ?? '';
  const answer =
    (await deps.paths.get(segment)?.(exchange)) ??
    (await deps.discovery(exchange)) ??
    healthAnswer(exchange, deps.health, deps.healthMetrics) ??
    ownPath(exchange, deps);
  return answer ?? pathNotFound();
}

function ownPath(exchange: Exchange, deps: OtherDeps): Answer | undefined {
  switch (exchange.path) {
    case '/version':
    case '/version/':
      if (exchange.method !== 'GET') throw methodNotAllowed();
      return valueAnswer(exchange, 200, versionInfo());
    case '/metrics':
      return metricsAnswer(deps.metrics.render());
    case '/metrics/slis':
      return metricsAnswer(deps.healthMetrics.render());
    case '/':
      return valueAnswer(exchange, 200, { paths: rootPaths(deps) });
    default:
      return undefined;
  }
}

const metricsAnswer = (text: string): Answer => ({
  status: 200,
  headers: { 'content-type': metricsType },
  parts: [Buffer.from(text)],
});

const plainPaths = ['/metrics', '/metrics/slis', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/version'];

function rootPaths(deps: RouteDeps): string[] {
  const own = [...plainPaths, ...deps.knownPaths(), ...healthPaths(deps.health)];
  return own.sort();
}
