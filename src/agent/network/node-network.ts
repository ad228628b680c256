import { join } from 'node:path';
import type { ClusterSettings } from '../../api/cluster-settings.ts';
import { createNodeDns } from '../../dns/node-dns.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Component } from '../../lib/component.ts';
import { createNft } from '../../net/nft/nft.ts';
import { systemHostNetwork } from '../../net/pod-network/host-network.ts';
import type { Backend } from '../../net/pod-network/plan.ts';
import { createPodNetwork, type PodNetwork } from '../../net/pod-network/pod-network.ts';
import { createServiceProxy, type ServiceProxy } from '../../net/proxy/service-proxy.ts';
import type { AgentContext } from '../agent-options.ts';
import type { SettingsSource } from './settings-source.ts';

export interface NodeNetworkOptions {
  readonly backend: Backend;
  /** Where the runtime looks for its CNI configuration. */
  readonly cniConfDir: string;
  /** On a memory filesystem. */
  readonly runDir: string;
  /** A resolv.conf with the resolvers for everything outside the cluster. */
  readonly resolvConf: string;
}

const settingsRetry = { initialMs: 1_000, maxMs: 30_000, jitter: 0.2 };
const dnsPort = 53;
const tableName = 'skiff';

/**
 * Pod network, service proxy and DNS of a node. `start` resolves as soon as the cluster's settings are known, from the server or from the last
 * run; the rest follows the informers.
 */
export class NodeNetwork implements Component {
  readonly name = 'network';
  readonly #options: NodeNetworkOptions;
  readonly #context: AgentContext;
  readonly #settings: SettingsSource;
  readonly #started: Component[] = [];
  #podNetwork: PodNetwork | undefined;
  #stopped = false;

  constructor(options: NodeNetworkOptions, context: AgentContext, settings: SettingsSource) {
    this.#options = options;
    this.#context = context;
    this.#settings = settings;
  }

  /** Why pods cannot have a network yet; '' when they can. */
  get problem(): string {
    return this.#podNetwork?.podCidr ? '' : 'the pod network has no address range yet: the server assigns one to each node';
  }

  async start(): Promise<void> {
    const settings = await this.#loadSettings();
    if (!settings) return;
    const { informers, pods, nodeName, nodeIp, clock, log } = this.#context;
    const { backend, cniConfDir, runDir, resolvConf } = this.#options;
    const proxy: ServiceProxy = createServiceProxy(
      { nodeName, tableName, clusterCidr: settings.clusterCidr, podCidr: () => this.#podNetwork?.podCidr ?? '' },
      { informers, pods, nft: createNft(join(runDir, 'nft')), clock, log: log.child('service-proxy') },
    );
    this.#podNetwork = createPodNetwork(
      { nodeName, nodeIp: nodeIp(), serviceCidr: settings.serviceCidr, backend, cniConfDir, ipamDir: join(runDir, 'ipam') },
      { informers, host: systemHostNetwork, clock, log: log.child('pod-network'), onPodCidr: () => proxy.refresh() },
    );
    const dns = createNodeDns(
      { address: settings.clusterDns, port: dnsPort, domain: settings.clusterDomain, resolvConf },
      {
        informers,
        clock,
        log: log.child('dns'),
        claimAddress: (ip) => systemHostNetwork.ip([`address replace ${ip}/32 dev lo`]),
      },
    );
    for (const component of [this.#podNetwork, proxy, dns]) {
      await component.start();
      this.#started.push(component);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const component of this.#started.splice(0).reverse()) await component.stop();
  }

  async #loadSettings(): Promise<ClusterSettings | undefined> {
    const { client, clock, log } = this.#context;
    const backoff = new Backoff(settingsRetry);
    while (!this.#stopped) {
      try {
        return await this.#settings.load(client);
      } catch (error) {
        if (this.#settings.current) return this.#settings.current;
        log.warn('the settings of the cluster could not be read; trying again', { error });
        await new Promise<void>((resolve) => clock.after(backoff.next(), resolve));
      }
    }
    return undefined;
  }
}
