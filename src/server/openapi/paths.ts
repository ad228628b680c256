import type { Clock } from '../../lib/clock.ts';
import type { PathHandler } from '../http/routes.ts';
import { handleOpenApi } from './openapi.ts';

/** The OpenAPI documents as paths of the API server. */
export function openApiPaths(clock: Clock): ReadonlyMap<string, PathHandler> {
  const handler: PathHandler = ({ path, query, headers }) => {
    const answer = handleOpenApi({ path, query, headers }, { nowMs: clock.now() });
    return answer && { status: answer.status, headers: { ...answer.headers }, parts: [answer.body] };
  };
  return new Map([['openapi', handler]]);
}
