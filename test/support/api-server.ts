import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import type { AdmissionPlugin } from '../../src/server/admission/admission.ts';
import { type ApiServer, type ApiServerDeps, createApiServer } from '../../src/server/api-server.ts';
import { createAuthorization } from '../../src/server/auth/authorization.ts';
import { systemMaster } from '../../src/server/auth/user.ts';
import type { Reader } from '../../src/server/registry/reader.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';

const noTls: ApiServerDeps['tls'] = {
  current: () => {
    throw new Error('this server does not listen');
  },
  onChange: () => () => {},
};

/** An API server over memory whose caller may do everything; it listens only when `listen` is given. */
export async function startTestApi(
  options: { clock?: Clock; admission?: (reader: Reader) => readonly AdmissionPlugin[]; overrides?: Partial<ApiServerDeps> } = {},
): Promise<{ server: ApiServer; stop(): Promise<void> }> {
  const store = new MemoryStore();
  await store.open();
  const server = createApiServer({
    store,
    clock: options.clock ?? systemClock,
    logger: silentLogger,
    tls: noTls,
    port: 0,
    security: (reader) => ({
      authenticate: () => systemMaster,
      authorizer: createAuthorization({ reader }),
      admission: options.admission?.(reader) ?? [],
      tokens: { issue: () => Promise.reject(new Error('this server makes no tokens')) },
      reviews: new Map(),
    }),
    advertise: { address: '10.0.0.1', port: 6443 },
    serviceCidrs: ['10.43.0.0/16'],
    nodePorts: { first: 30000, last: 32767 },
    nodeClient: () => {
      throw new Error('this server knows no nodes');
    },
    ...options.overrides,
  });
  if (options.overrides?.tls) await server.start();
  else await server.load();
  return {
    server,
    async stop() {
      await server.stop();
      await store.close();
    },
  };
}
