import { randomBytes } from 'node:crypto';
import { createLoopbackClient, type InProcessApi } from '../../src/client/loopback-client.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { createAdmissionChain } from '../../src/server/admission/chain.ts';
import type { ApiServer, ApiServerDeps } from '../../src/server/api-server.ts';
import { createAuthorization } from '../../src/server/auth/authorization.ts';
import { createReviewHandlers } from '../../src/server/auth/reviews.ts';
import { systemMaster } from '../../src/server/auth/user.ts';
import { startTestApi } from './api-server.ts';

/** An API server over memory with RBAC, reviews and the whole admission chain; whoever calls is system:masters. */
export async function startGuardedApi(
  options: { clock?: Clock; overrides?: Partial<ApiServerDeps> } = {},
): Promise<{ server: ApiServer; stop(): Promise<void> }> {
  const { clock = systemClock } = options;
  let api: InProcessApi | undefined;
  const later = {
    get: (as, kind, key) => api!.get(as, kind, key),
    update: (as, kind, object, subresource) => api!.update(as, kind, object, subresource),
  } as InProcessApi;
  const started = await startTestApi({
    clock,
    overrides: {
      ...options.overrides,
      security(reader) {
        const authorization = createAuthorization({ reader });
        const authentication = {
          authenticate: async () => systemMaster,
          authenticateToken: async () => ({ error: 'this server knows no tokens' }),
        };
        return {
          authenticate: () => systemMaster,
          authorizer: authorization,
          admission: createAdmissionChain({
            reader,
            authorization,
            clock,
            randomText: (length) => randomBytes(length).toString('hex').slice(0, length),
            client: createLoopbackClient(later, systemMaster),
          }),
          reviews: createReviewHandlers({ authentication, authorization }),
          tokens: { issue: () => Promise.reject(new Error('this server makes no tokens')) },
        };
      },
    },
  });
  api = started.server.inProcess;
  return started;
}
