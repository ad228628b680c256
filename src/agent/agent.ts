import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Pod } from '../api/kinds/core/pod.ts';
import { createHttpsClient, type HttpsClient } from '../client/https-client.ts';
import { createInformer, type Informer } from '../client/informer.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Component } from '../lib/component.ts';
import { MetricRegistry } from '../lib/metrics.ts';
import { productVersion } from '../lib/version.ts';
import type { AgentDeps, AgentOptions } from './agent-options.ts';
import { cgroupLayout, hasMemoryController } from './cgroup/cgroup-files.ts';
import { AgentServer } from './http/agent-server.ts';
import { createLogRotation, logFile } from './http/log-rotation.ts';
import { PodAccess } from './http/pod-access.ts';
import { Serving } from './http/serving.ts';
import { StreamingServer } from './http/streaming.ts';
import { ImageCollector } from './images/image-collector.ts';
import { importImages } from './images/image-import.ts';
import { JoinError } from './join/join-error.ts';
import { NodeCredentials } from './join/node-credentials.ts';
import { type HardwareFacts, readHardwareFacts } from './node/hardware-facts.ts';
import { addressTowards, readHostFacts, readHostLoad, resolvConfPath } from './node/host-facts.ts';
import { NodeAgent } from './node/node-agent.ts';
import { nodeResources } from './node/node-object.ts';
import { podLogDirectory } from './pod/names.ts';
import { createPodSystem, type PodSystem } from './pod-system.ts';
import { StatsPages } from './stats/stats-pages.ts';
import { systemMounter } from './volumes/mounter.ts';

export type { AgentContext, AgentDeps, AgentOptions } from './agent-options.ts';

/** Between attempts to join. */
const joinRetry = { initialMs: 2_000, maxMs: 60_000, jitter: 0.2 };
/** A server that has not told this node's pods for so long is away: the pods of the last run are started. */
const checkpointPatienceMs = 15_000;

/**
 * The node agent: joins the cluster, registers the node, runs its pods. `start` resolves when the node is registered and works on its
 * pods, or, without its server, when it works on those of its checkpoint. Stopping leaves pods running.
 */
export function createAgent(options: AgentOptions, deps: AgentDeps): Component {
  return new Agent(options, deps);
}

class Agent implements Component {
  readonly name = 'agent';
  readonly #options: AgentOptions;
  readonly #deps: AgentDeps;
  readonly #credentials: NodeCredentials;
  readonly #started: Component[] = [];
  readonly #cancels = new Set<() => void>();
  readonly #metrics = new MetricRegistry();
  readonly #requests = this.#metrics.counter('rest_client_requests_total', 'Requests to the API server, by status.', [
    'code',
    'method',
    'host',
  ]);
  #stopped = false;
  #serving: Serving | undefined;

  constructor(options: AgentOptions, deps: AgentDeps) {
    this.#options = options;
    this.#deps = deps;
    const { server, nodeName, token, dataDir } = options;
    this.#credentials = new NodeCredentials({
      directory: join(dataDir, 'tls'),
      server,
      nodeName,
      token,
      clock: deps.clock,
      log: deps.log,
    });
  }

  async start(): Promise<void> {
    mkdirSync(this.#options.dataDir, { recursive: true, mode: 0o700 });
    const [hardware] = await Promise.all([readHardwareFacts(), this.#startRuntime(), this.#join()]);
    if (!this.#stopped) await this.#startNode(hardware);
  }

  async #startNode(hardware: HardwareFacts): Promise<void> {
    const { runtime, clock, log } = this.#deps;
    const { nodeName, dataDir } = this.#options;
    const client = this.#client();
    const informers = new InformerFactory({ client, clock, log });
    const pods = createInformer({ client, clock, log }, Pod, { scope: { fieldSelector: `spec.nodeName=${nodeName}` } });
    const { node, system, stats } = await this.#assemble(client, informers, hardware);
    const addresses = (): readonly string[] => node.internalAddresses;
    const server = this.#server(system, stats);
    const serving = new Serving({ client, clock, log, credentials: this.#credentials, server, addresses });
    this.#serving = serving;
    const close = (): void => {
      informers.stop();
      client.close();
    };
    await this.#startAll([{ name: 'connections', start: async () => {}, stop: async () => close() }, node]);
    const context = { client, informers, pods, nodeName, nodeIp: () => addresses()[0] ?? '', clock, log };
    await Promise.all([
      this.#startAll(this.#deps.components?.(context) ?? []),
      importImages(join(dataDir, 'images'), { runtime, log }),
    ]);
    await this.#startAll([
      this.#podWork(system, pods),
      serving,
      new ImageCollector({ runtime, clock, log }),
      this.#rotation(system),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const component of this.#started.splice(0).reverse()) await component.stop();
  }

  async #startRuntime(): Promise<void> {
    await this.#startAll(this.#deps.before ?? []);
    await this.#startAll([{ name: 'runtime', start: () => this.#deps.runtime.start(), stop: () => this.#deps.runtime.stop() }]);
  }

  async #startAll(components: readonly Component[]): Promise<void> {
    for (const component of components) {
      if (this.#stopped) return;
      await component.start();
      this.#started.push(component);
    }
  }

  /** Until it has worked: says what is wrong and tries again; a machine that cannot join must not restart in circles. */
  async #join(): Promise<void> {
    const backoff = new Backoff(joinRetry);
    while (!this.#credentials.joined && !this.#stopped) {
      try {
        await this.#credentials.join();
        this.#deps.log.info('joined the cluster', { server: this.#options.server, node: this.#options.nodeName });
      } catch (error) {
        const problem = error instanceof JoinError ? error : undefined;
        const retryMs = problem?.retryMs ?? backoff.next();
        this.#deps.log.error('this machine could not join the cluster', {
          error,
          whatToDo: problem?.hint,
          retrySeconds: Math.round(retryMs / 1000),
        });
        await this.#pause(retryMs);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(ms, () => done());
      const done = (): void => {
        cancel();
        this.#cancels.delete(done);
        resolve();
      };
      this.#cancels.add(done);
    });
  }

  #client(): HttpsClient {
    const { clock, log } = this.#deps;
    const { host } = new URL(this.#options.server);
    return createHttpsClient({
      server: this.#options.server,
      ca: this.#credentials.ca,
      credentials: () => this.#credentials.client ?? {},
      userAgent: `kubelet/${productVersion}`,
      dropManagedFields: true,
      onAnswer: (method, code) => this.#requests.inc([code, method, host]),
      clock,
      log,
    });
  }

  async #assemble(
    client: HttpsClient,
    informers: InformerFactory,
    hardware: HardwareFacts,
  ): Promise<{ node: NodeAgent; system: PodSystem; stats: StatsPages }> {
    const options = this.#options;
    const { runtime, clock, log } = this.#deps;
    const facts = readHostFacts();
    const layout = cgroupLayout(options.cgroupMount);
    const hostLoad = (): ReturnType<typeof readHostLoad> => readHostLoad(options.dataDir);
    const resources = nodeResources(facts, await hostLoad());
    const runtimeName = (await runtime.version()).name;
    const node = new NodeAgent({
      client,
      runtime,
      clock,
      log: log.child('node'),
      identity: {
        name: options.nodeName,
        facts,
        hardware,
        extraLabels: options.nodeLabels,
        taints: options.nodeTaints,
        machineKeyHash: createHash('sha256').update(this.#credentials.machineKey()).digest('hex'),
      },
      port: () => options.listen.port,
      addresses: () => this.#addresses(),
      hostLoad,
      memoryCgroup: hasMemoryController(layout),
      networkProblem: this.#deps.networkProblem ?? (() => ''),
      onAddressesChanged: () => this.#serving?.addressesChanged(),
    });
    const system = createPodSystem({
      options,
      client,
      informers,
      runtime,
      mounter: this.#deps.mounter ?? systemMounter,
      clock,
      log: log.child('pods'),
      layout,
      facts,
      resolvConf: options.resolvConf ?? resolvConfPath(),
      runtimeName: () => runtimeName,
      hostIPs: () => node.internalAddresses,
      allocatable: () => node.node?.status?.allocatable ?? resources.allocatable,
      networkProblem: this.#deps.networkProblem ?? (() => ''),
    });
    const stats = new StatsPages({
      clock,
      layout,
      cgroups: system.cgroups,
      nodeName: options.nodeName,
      memoryBytes: facts.memoryBytes,
      pods: () => system.manager.states(),
      hostLoad,
    });
    return { node, system, stats };
  }

  async #addresses(): Promise<{ internal: readonly string[]; external: readonly string[] }> {
    const { nodeIps, nodeExternalIps: external, server } = this.#options;
    if (nodeIps.length > 0) return { internal: nodeIps, external };
    const url = new URL(server);
    const found = await addressTowards({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) });
    return { internal: found ? [found] : [], external };
  }

  #server(system: PodSystem, stats: StatsPages): AgentServer {
    const { runtime, log } = this.#deps;
    const access = new PodAccess({ pods: system.manager, podLogsRoot: this.#options.podLogsDir });
    const metrics = this.#metrics;
    metrics.computed('skiff_agent_pods', 'Pods this node works on.', () => system.manager.states().length);
    metrics.computed('skiff_agent_probes', 'Probes that are being run.', () => system.probes.size);
    return new AgentServer({
      log: log.child('http'),
      access,
      streaming: new StreamingServer({ runtime, access }),
      ...this.#options.listen,
      tls: () => ({
        key: this.#credentials.serving?.key ?? '',
        cert: this.#credentials.serving?.certificate ?? '',
        ca: this.#credentials.ca,
      }),
      pages: {
        '/healthz': async () => ({ type: 'text/plain', body: 'ok' }),
        '/metrics': async () => ({ type: 'text/plain; version=0.0.4', body: metrics.render() }),
        '/metrics/resource': () => stats.resourceMetrics(),
        '/stats/summary': () => stats.summary(),
      },
    });
  }

  /** Pods from the server; when it stays silent, those of the last run. */
  #podWork(system: PodSystem, pods: Informer<Pod>): Component {
    const { manager, checkpoints, objects, memoryRoot } = system;
    const fromCheckpoint = (): void => {
      if (pods.hasSynced) return;
      const known = checkpoints.load();
      this.#deps.log.warn('the server does not answer: running the pods of the last run', { pods: known.length });
      for (const pod of known) manager.put(pod, true);
    };
    return {
      name: 'pods',
      start: async () => {
        await (this.#deps.mounter ?? systemMounter).tmpfs(memoryRoot, { mode: 0o711 });
        await manager.start();
        pods.addHandler({
          onAdd: (pod) => manager.put(pod),
          onUpdate: (pod) => manager.put(pod),
          onDelete: (pod) => manager.remove(pod.metadata.uid),
        });
        pods.start();
        const cancel = this.#deps.clock.after(checkpointPatienceMs, fromCheckpoint);
        this.#cancels.add(cancel);
        void pods.synced.then(() => {
          cancel();
          const uids = new Set(pods.list().map((pod) => pod.metadata.uid));
          manager.synced(uids).catch((error: unknown) => this.#deps.log.warn('cleaning up after old pods failed', { error }));
        });
      },
      stop: async () => {
        pods.stop();
        await manager.stop();
        objects.stop();
      },
    };
  }

  #rotation({ manager }: PodSystem): Component {
    const { runtime, clock, log } = this.#deps;
    const running = (): {
      container: ReturnType<typeof manager.states>[number]['observed']['containers'][number];
      path: string;
    }[] =>
      manager.states().flatMap((state) => {
        const directory = podLogDirectory(this.#options.podLogsDir, state.pod);
        return state.observed.containers
          .filter((c) => c.state === 'running')
          .map((container) => ({ container, path: logFile(directory, container) }));
      });
    return createLogRotation({ runtime, clock, log, running });
  }
}
