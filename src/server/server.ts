import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ipAt, parseIpRange } from '../api/ip-range.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { createLoopbackClient, type Identity } from '../client/loopback-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import { MetricRegistry } from '../lib/metrics.ts';
import type { WorkQueueObserver } from '../lib/workqueue.ts';
import { createWorkQueueMetrics } from '../lib/workqueue-metrics.ts';
import { writeKubeconfig } from '../pki/kubeconfig.ts';
import { createRenewal } from '../pki/renewal.ts';
import { ensureServerPki, type ServerPki } from '../pki/server-pki.ts';
import { ensureStaticTokens, type StaticTokens } from '../pki/token-files.ts';
import { createController, identityOf } from '../reconcile/controller.ts';
import { createMetadataWatch } from '../reconcile/metadata-watch.ts';
import { SqliteStore } from '../sqlite-store/sqlite-store.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { ensureBootstrapRbac } from './auth/bootstrap/ensure-bootstrap-rbac.ts';
import { createSecretTokens } from './auth/tokens/secret-tokens.ts';
import { systemMaster } from './auth/user.ts';
import { serviceAccountGroups, serviceAccountUserName } from './auth/user-names.ts';
import { ensureClusterSettings } from './cluster-settings.ts';
import { createGarbageCollector } from './controllers/gc/collector.ts';
import { allControllers } from './controllers/index.ts';
import { queueNameOf } from './controllers/queue-names.ts';
import { certificateLifetimes } from './http/auth-metrics.ts';
import { createCsrApprover } from './join/csr-approver.ts';
import { measureStore } from './registry/store-metrics.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import { createServerSecurity, type ServerSecurity } from './security.ts';

export { createBootstrapToken, deleteBootstrapToken, listBootstrapTokens } from './join/bootstrap-tokens.ts';

/** Everything that can be different between two servers; paths are absolute. */
export interface ServerOptions {
  /** The folder of the server: tls/, db/, the token files. */
  readonly dataDir: string;
  readonly bindAddress: string;
  readonly port: number;
  /** Under which others reach this server. */
  readonly advertiseAddress: string;
  /** More names and addresses for the serving certificate. */
  readonly tlsNames: { readonly dns: readonly string[]; readonly ips: readonly string[] };
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly nodePorts: { readonly first: number; readonly last: number };
  readonly serverToken?: string;
  readonly agentToken?: string;
  readonly kubeconfig: { readonly file: string; readonly mode: number };
  /** better-sqlite3's binding, where the package cannot find it by itself. */
  readonly sqliteBinding?: object;
}

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The disk failed in a way after which nothing can be promised: the process must end. */
  readonly onFatal: (error: Error) => void;
}

export interface Server extends Component {
  /** The secret with which the built-in node agent joins, and the hash of the CA it is for; known once started. */
  readonly nodeToken: string;
  readonly caHash: string;
  readonly port: number;
}

/** API server, controllers and scheduler over the embedded store: the composition root. */
export function createServer(options: ServerOptions, deps: ServerDeps): Server {
  return new SkiffServer(options, deps);
}

class SkiffServer implements Server {
  readonly name = 'server';
  readonly #options: ServerOptions;
  readonly #deps: ServerDeps;
  readonly #started: Component[] = [];
  readonly #metrics = new MetricRegistry();
  readonly #observeQueue = createWorkQueueMetrics(this.#metrics);
  #tokens: StaticTokens | undefined;
  #api: ApiServer | undefined;
  #caHash = '';
  #stopped = false;

  constructor(options: ServerOptions, deps: ServerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get nodeToken(): string {
    return this.#tokens?.agent ?? '';
  }

  get caHash(): string {
    return this.#caHash;
  }

  get port(): number {
    return this.#api?.port ?? this.#options.port;
  }

  async start(): Promise<void> {
    const { dataDir } = this.#options;
    mkdirSync(join(dataDir, 'db'), { recursive: true, mode: 0o700 });
    const pki = this.#openPki();
    const store = this.#openStore();
    await this.#run({ name: 'store', start: () => store.open(), stop: () => store.close() });
    const security = this.#security(pki, () => this.#client(systemMaster));
    this.#api = this.#apiServer(store, pki, security);
    await this.#api.load();
    // Before anybody is served: nobody is refused because roles are still to come, and controllers follow at once.
    await this.#bootstrap(pki);
    await this.#run(this.#api);
    this.#writeKubeconfig(pki);
    for (const component of [...this.#joining(pki, security), ...this.#controllers(pki)]) await this.#run(component);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const component of this.#started.splice(0).reverse()) await component.stop();
  }

  async #run(component: Component): Promise<void> {
    if (this.#stopped) return;
    const startedAt = this.#deps.clock.monotonicMs();
    await component.start();
    this.#started.push(component);
    this.#deps.log.debug('component started', {
      name: component.name,
      ms: Math.round(this.#deps.clock.monotonicMs() - startedAt),
    });
  }

  #openPki(): ServerPki {
    const { dataDir, advertiseAddress, tlsNames, clusterDomain, serviceCidr, serverToken, agentToken } = this.#options;
    const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${clusterDomain}`];
    const pki = ensureServerPki({
      dir: join(dataDir, 'tls'),
      hostnames: ['localhost', ...service, ...tlsNames.dns],
      ips: [...new Set(['127.0.0.1', '::1', advertiseAddress, firstAddress(serviceCidr), ...tlsNames.ips])],
      clock: this.#deps.clock,
    });
    this.#caHash = pki.caHash;
    this.#tokens = ensureStaticTokens({
      dir: dataDir,
      caHash: pki.caHash,
      ...(serverToken === undefined ? {} : { serverSecret: serverToken }),
      ...(agentToken === undefined ? {} : { agentSecret: agentToken }),
    });
    return pki;
  }

  #openStore(): SqliteStore {
    const { dataDir, sqliteBinding } = this.#options;
    const { clock, log, onFatal } = this.#deps;
    const file = join(dataDir, 'db/state.db');
    measureStore(this.#metrics, file);
    return new SqliteStore({
      file,
      log: log.child('store'),
      clock,
      onFatal,
      ...(sqliteBinding === undefined ? {} : { nativeBinding: sqliteBinding }),
    });
  }

  #security(pki: ServerPki, client: () => Client): ServerSecurity {
    const { clusterDomain, advertiseAddress } = this.#options;
    return createServerSecurity({
      pki,
      staticTokens: this.#tokens!,
      clock: this.#deps.clock,
      issuer: `https://kubernetes.default.svc.${clusterDomain}`,
      serverUrl: () => urlOf(advertiseAddress, this.port),
      client,
      observeCertificate: certificateLifetimes(this.#metrics),
    });
  }

  #apiServer(store: SqliteStore, pki: ServerPki, security: ServerSecurity): ApiServer {
    const { bindAddress, port, advertiseAddress, serviceCidr, nodePorts } = this.#options;
    const { clock, log } = this.#deps;
    return createApiServer({
      store,
      clock,
      logger: log,
      tls: security.tls,
      host: bindAddress,
      port,
      security: (reader) => security.attach(reader),
      advertise: { address: advertiseAddress, port },
      serviceCidrs: serviceCidr.split(','),
      nodePorts,
      nodeClient: () => {
        const { certificatePem, privateKeyPem } = pki.leaf('kubelet-client');
        return { certificatePem, keyPem: privateKeyPem, caPem: pki.ca.certificatePem };
      },
      health: [
        {
          name: 'poststarthook/rbac/bootstrap-roles',
          // Nothing is answered before they are there.
          check: () => undefined,
        },
      ],
      paths: security.paths,
      knownPaths: ['/.well-known/openid-configuration', '/openid/v1/jwks'],
      publicPaths: security.publicPaths,
      metrics: this.#metrics,
      observeQueue: this.#observeQueue,
    });
  }

  /** What every cluster has, written only where it is missing. */
  async #bootstrap(pki: ServerPki): Promise<void> {
    const client = this.#client(systemMaster);
    const { clusterCidr, serviceCidr, clusterDns, clusterDomain } = this.#options;
    await ensureBootstrapRbac({ reader: this.#api!.reader, client });
    const authorities = { clients: pki.ca.certificatePem, frontProxies: pki.frontProxyCa.certificatePem };
    await ensureClusterSettings({ clusterCidr, serviceCidr, clusterDns, clusterDomain }, authorities, client);
  }

  #writeKubeconfig(pki: ServerPki): void {
    const { kubeconfig, bindAddress } = this.#options;
    const host = bindAddress === '::' || bindAddress === '0.0.0.0' ? '127.0.0.1' : bindAddress;
    const write = (): void =>
      writeKubeconfig(
        kubeconfig.file,
        { server: urlOf(host, this.port), caPem: pki.ca.certificatePem, credential: pki.leaf('admin') },
        kubeconfig.mode,
      );
    write();
    pki.onRenewed((name) => {
      if (name === 'admin') write();
    });
  }

  #joining(pki: ServerPki, security: ServerSecurity): Component[] {
    const { clock, log } = this.#deps;
    const approver = createCsrApprover({
      reader: this.#api!.reader,
      client: this.#client(serviceAccount('certificate-controller')),
      authorizer: security.authorization(),
      ca: pki.ca,
      clock,
      log: log.child('certificates'),
    });
    const secrets = createSecretTokens({
      reader: this.#api!.reader,
      client: this.#client(systemMaster),
      tokens: security.tokens(),
      caPem: pki.ca.certificatePem,
      clock,
      log: log.child('tokens'),
    });
    return [approver, secrets, createRenewal({ pki, clock, log: log.child('certificates') })];
  }

  #controllers(pki: ServerPki): Component[] {
    const { clock, log } = this.#deps;
    const client = this.#client(systemMaster);
    const informers = new InformerFactory({ client, clock, log: log.child('informers') });
    const metadata = createMetadataWatch({ client, clock, log: log.child('metadata'), informers });
    const definitions = allControllers({
      rootCa: pki.ca.certificatePem,
      clusterCidrs: this.#options.clusterCidr.split(','),
      metadata,
    });
    const observe = (controller: string): WorkQueueObserver => this.#observeQueue(queueNameOf(controller));
    const controllers = definitions.map((definition) => {
      const own = this.#client(identityOf(definition));
      const events = createEventRecorder({ client: own, clock, log, component: `${definition.name}-controller` });
      return createController(definition, { client: own, informers, events, clock, log: log.child(definition.name), observe });
    });
    const collector = createGarbageCollector({
      client: this.#client(serviceAccount('generic-garbage-collector')),
      metadata,
      clock,
      log: log.child('garbage-collector'),
      observer: observe('garbage-collector'),
    });
    const schedulerClient = this.#client({ name: 'system:kube-scheduler', groups: ['system:authenticated'] });
    const events = createEventRecorder({ client: schedulerClient, clock, log, component: 'default-scheduler' });
    const scheduler = createScheduler({
      client: schedulerClient,
      informers,
      events,
      clock,
      log: log.child('scheduler'),
      metrics: this.#metrics,
    });
    const ends: Component = { name: 'informers', start: () => Promise.resolve(), stop: async () => informers.stop() };
    return [ends, metadata, ...controllers, collector, scheduler];
  }

  #client(as: Identity): Client {
    return createLoopbackClient(this.#api!.inProcess, as);
  }
}

function serviceAccount(name: string): Identity {
  return {
    name: serviceAccountUserName('kube-system', name),
    groups: [...serviceAccountGroups('kube-system'), 'system:authenticated'],
  };
}

/** `10.43.0.0/16` → 10.43.0.1, the address of the Service `kubernetes`. */
function firstAddress(cidrs: string): string {
  return ipAt(parseIpRange(cidrs.split(',')[0]!), 1n);
}

function urlOf(host: string, port: number): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
