import { hasSubresource } from '../api/kind.ts';
import { builtinKinds } from '../api/kinds/index.ts';
import { timestamp } from '../api/timestamp.ts';
import { observeCalls } from '../client/call-metrics.ts';
import type { InProcessApi } from '../client/loopback-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import { MetricRegistry } from '../lib/metrics.ts';
import type { WorkQueueObserver } from '../lib/workqueue.ts';
import type { Store } from '../storage/store.ts';
import { createWatchCache } from '../storage/watch-cache-impl.ts';
import type { AdmissionPlugin } from './admission/admission.ts';
import type { Authorizer } from './auth/authorizer.ts';
import type { ReviewHandler } from './auth/reviews.ts';
import { Discovery } from './discovery/discovery.ts';
import { FlowControl } from './flow-control/flow-control.ts';
import type { HandlerDeps } from './handlers/context.ts';
import { type DispatchDeps, dispatch } from './handlers/dispatch.ts';
import { InProcess } from './handlers/in-process.ts';
import { ListCache } from './handlers/list-cache.ts';
import { sharedByWatches } from './handlers/shared-by-watches.ts';
import { WatchMetrics } from './handlers/watch-metrics.ts';
import type { Authenticate } from './http/auth-filters.ts';
import { chain, type Filter, type Handler } from './http/exchange.ts';
import { filters } from './http/filters.ts';
import { type HealthCheck, serverChecks } from './http/health.ts';
import { type InjectedAnswer, type InjectedRequest, inject } from './http/inject.ts';
import { Listener, type TlsMaterial } from './http/listener.ts';
import { addProcessMetrics } from './http/process-metrics.ts';
import { createRequestMetrics, deprecationMetrics } from './http/request-metrics.ts';
import { createRoutes, type PathHandler } from './http/routes.ts';
import { openApiPaths } from './openapi/paths.ts';
import { AdmissionChain } from './registry/admission-chain.ts';
import { KindTable } from './registry/kind-table.ts';
import { ObjectStore } from './registry/object-store.ts';
import type { Reader } from './registry/reader.ts';
import { ResourceRegistry } from './registry/resource-registry.ts';
import { countObjects, observeWrites } from './registry/store-metrics.ts';
import { ensureBootstrap } from './resources/bootstrap/ensure-bootstrap.ts';
import type { TokenSource } from './resources/core/service-account-token.ts';
import { runKeeper } from './resources/kept/keeper.ts';
import type { NodeClientCredentials } from './resources/node-streams/node-connection.ts';
import { createResources } from './resources/resources.ts';

/** Who may do what, built on the reader of the server it protects. */
export interface Security {
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  /** In the order they run. */
  readonly admission: readonly AdmissionPlugin[];
  /** Who makes tokens of service accounts. */
  readonly tokens: TokenSource;
  /** Create-only kinds that answer questions, by `<group>/<plural>`. */
  readonly reviews: ReadonlyMap<string, ReviewHandler>;
}

export interface ApiServerDeps {
  /** Must be open. */
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tls: TlsMaterial;
  readonly host?: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Called once, before objects are loaded: its listeners hear of all of them. */
  security(reader: Reader): Security;
  /** Where pods and nodes reach this server: behind the Service `kubernetes`. */
  readonly advertise: { readonly address: string; readonly port: number };
  /** `10.43.0.0/16`, or two ranges of different families; the first is the default. */
  readonly serviceCidrs: readonly string[];
  readonly nodePorts: { readonly first: number; readonly last: number };
  /** How this server shows itself to node agents, and how it knows them; asked for each connection. */
  readonly nodeClient: () => NodeClientCredentials;
  /** Handlers of paths outside the resource API, by first segment: `.well-known`, `cacerts`. */
  readonly paths?: ReadonlyMap<string, PathHandler>;
  /** Paths anybody may read without credentials. */
  readonly publicPaths?: ReadonlySet<string>;
  readonly health?: readonly HealthCheck[];
  /** Documents in `paths`, for the list of paths that `/` answers. */
  readonly knownPaths?: readonly string[];
  /** Answers requests for groups that other servers serve; undefined: nobody's. */
  readonly aggregated?: PathHandler;
  readonly audit?: Filter;
  readonly metrics?: MetricRegistry;
  readonly observeQueue?: (queue: string) => WorkQueueObserver;
}

/** The API part of the server: one port, the same registry for HTTP and for callers in process. */
export interface ApiServer extends Component {
  readonly inProcess: InProcessApi;
  readonly reader: Reader;
  /** Custom resource definitions add theirs. */
  readonly kinds: KindTable;
  /** Loads the objects and creates those every cluster has: from then on it works for callers in process. `start` does it when nobody has, and listens. */
  load(): Promise<void>;
  /** The port it listens on, once started. */
  readonly port: number;
  /** A request without a socket, through the whole filter chain. */
  inject(request: InjectedRequest): Promise<InjectedAnswer>;
}

/** Bounds of what the watch cache remembers, for watches that resume and for consistent paging. */
const historyEvents = 4096;
const historyBytes = 8 * 1024 * 1024;

/** The composition root of the API part: objects, registry, filters and paths over a store. Nothing happens before `load` or `start`. */
export function createApiServer(deps: ApiServerDeps): ApiServer {
  const { store, clock, tls } = deps;
  const logger = deps.logger.child('api');
  const metrics = deps.metrics ?? new MetricRegistry();
  addProcessMetrics(metrics, clock);
  const kinds = new KindTable(builtinKinds);
  const objects = new ObjectStore({
    store,
    kinds,
    newCache: (indexer) => createWatchCache({ indexer, historyEvents, historyBytes, clock }),
    onWrite: observeWrites(metrics, clock),
  });
  countObjects(metrics, kinds, objects);
  const security = deps.security(objects);
  const { serviceCidrs, nodePorts, nodeClient, advertise } = deps;
  const { authorizer, tokens, reviews } = security;
  const resources = { objects, authorizer, tokens, reviews, serviceCidrs, nodePorts, nodeClient };
  const { effects, subresources, keepers } = createResources(resources);
  const admission = new AdmissionChain(security.admission, { clock, metrics });
  const registry = new ResourceRegistry({ objects, admission, effects, clock });
  const keeping = keepers.map((keeper) =>
    runKeeper(keeper, { registry, clock, logger, observer: deps.observeQueue?.(keeper.queue) }),
  );
  const handlerDeps: HandlerDeps = {
    registry,
    kinds,
    authorizer,
    clock,
    logger,
    watches: sharedByWatches(clock),
    watchMetrics: new WatchMetrics(metrics),
    onDeprecated: deprecationMetrics(metrics),
    lists: new ListCache(clock),
  };
  const dispatchDeps = { ...handlerDeps, subresources, aggregated: deps.aggregated };
  let ready = false;
  let stopping = false;
  const state = { isLoaded: () => ready, isStopping: () => stopping };
  const handler = requestHandler(deps, { security, objects, metrics, logger, dispatchDeps, state });
  const load = async (): Promise<void> => {
    if (ready) return;
    await objects.load();
    await ensureBootstrap(registry, { serviceCidrs, advertise, kinds: kinds.all, now: timestamp(clock.now()) });
    ready = true;
    for (const component of keeping) await component.start();
  };
  const listener = new Listener({ tls, host: deps.host, port: deps.port, handler, logger, clock, metrics });
  return {
    name: 'api-server',
    reader: objects,
    kinds,
    inProcess: observeCalls(new InProcess(dispatchDeps), { metrics, clock }),
    get port() {
      return listener.port;
    },
    inject: (request) => inject(handler, request),
    load,
    async start() {
      await load();
      await listener.start();
    },
    async stop() {
      stopping = true;
      await listener.stop();
      for (const component of keeping) await component.stop();
      objects.close();
    },
  };
}

interface HandlerParts {
  readonly security: Security;
  readonly objects: Reader;
  readonly metrics: MetricRegistry;
  readonly logger: Logger;
  readonly dispatchDeps: DispatchDeps;
  readonly state: { isLoaded(): boolean; isStopping(): boolean };
}

/** The filters every request passes, and behind them the paths. */
function requestHandler(deps: ApiServerDeps, { security, objects, metrics, logger, dispatchDeps, state }: HandlerParts): Handler {
  const { advertise, clock } = deps;
  const { kinds } = dispatchDeps;
  const discovery = new Discovery({ kinds, serverAddress: () => `${advertise.address}:${advertise.port}` });
  const routes = createRoutes({
    resources: (exchange) => dispatch(dispatchDeps, exchange),
    discovery: (exchange) => discovery.handle(exchange),
    paths: new Map([...openApiPaths(clock), ...(deps.paths ?? [])]),
    knownPaths: () => [...discovery.paths(), ...(deps.knownPaths ?? [])],
    health: serverChecks(state, deps.health ?? []),
    metrics,
  });
  const publicPaths = deps.publicPaths ?? new Set<string>();
  return chain(
    filters({
      authenticate: security.authenticate,
      authorizer: security.authorizer,
      audit: deps.audit,
      metrics: createRequestMetrics(metrics, clock),
      flowControl: new FlowControl({ reader: objects, clock, metrics }),
      isServed({ group, version, resource, subresource }) {
        const kind = kinds.find(group, version, resource);
        return kind !== undefined && hasSubresource(kind, subresource);
      },
      clock,
      logger,
      isPublic: (path) => publicPaths.has(path),
    }),
    routes,
  );
}
