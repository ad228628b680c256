import type { MetricRegistry } from '../../lib/metrics.ts';
import { type Answer, type Exchange, type Handler, pathNotFound, textAnswer } from './exchange.ts';
import { type HealthCheck, healthAnswer } from './health.ts';
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
  readonly metrics: MetricRegistry;
}

/** Where a request goes that has passed all filters. */
export function createRoutes(deps: RouteDeps): Handler {
  return (exchange) => (exchange.info.isResource ? deps.resources(exchange) : otherPath(deps, exchange));
}

async function otherPath(deps: RouteDeps, exchange: Exchange): Promise<Answer> {
  const segment = exchange.path.split('/', 2)[1] ?? '';
  const answer =
    (await deps.paths.get(segment)?.(exchange)) ??
    (await deps.discovery(exchange)) ??
    healthAnswer(exchange, deps.health) ??
    ownPath(exchange, deps);
  return answer ?? pathNotFound();
}

function ownPath(exchange: Exchange, deps: RouteDeps): Answer | undefined {
  switch (exchange.path) {
    case '/version':
    case '/version/':
      return valueAnswer(exchange, 200, versionInfo());
    case '/metrics':
      return textAnswer(200, deps.metrics.render(), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    case '/':
      return valueAnswer(exchange, 200, { paths: rootPaths(deps) });
    default:
      return undefined;
  }
}

function rootPaths(deps: RouteDeps): string[] {
  const own = ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/metrics', '/readyz', '/version'];
  return [...own, ...[...deps.paths.keys()].map((segment) => `/${segment}`)].sort();
}
