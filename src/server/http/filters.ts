import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { FlowControl } from '../flow-control/flow-control.ts';
import { type Authenticate, authenticationFilter, authorizationFilter, impersonationFilter } from './auth-filters.ts';
import { compressionFilter } from './compression.ts';
import type { Filter } from './exchange.ts';
import { flowControlFilter } from './flow-control-filter.ts';
import { headersFilter } from './headers-filter.ts';
import { panicFilter } from './panic-filter.ts';
import { pathFilter } from './path-filter.ts';
import type { RequestInfo } from './request-info.ts';
import { metricsFilter, type RequestMetrics } from './request-metrics.ts';
import { timeoutFilter } from './timeout-filter.ts';

export interface FilterDeps {
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  /** Records what happened; outermost but for the panic guard. */
  readonly audit: Filter | undefined;
  readonly metrics: RequestMetrics;
  /** Who may go on, who waits, who is turned away. */
  readonly flowControl: FlowControl;
  readonly clock: Clock;
  readonly logger: Logger;
  /** False for resources nobody serves. */
  readonly isServed: (info: RequestInfo) => boolean;
  /** Paths anybody may read without credentials, e.g. `/cacerts`. */
  readonly isPublic: (path: string) => boolean;
}

/** The chain every request passes, outermost first. */
export function filters(deps: FilterDeps): readonly Filter[] {
  return [
    headersFilter,
    metricsFilter(deps.metrics, deps),
    compressionFilter,
    panicFilter(deps.logger),
    pathFilter,
    timeoutFilter(deps.clock),
    authenticationFilter(deps.authenticate, deps.isPublic, deps.metrics.auth),
    impersonationFilter(deps.authorizer),
    ...(deps.audit ? [deps.audit] : []),
    flowControlFilter(deps),
    authorizationFilter(deps.authorizer, deps.isPublic, deps.metrics.auth),
  ];
}
