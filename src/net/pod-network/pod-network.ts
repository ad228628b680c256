import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Node } from '../../api/kinds/core/node.ts';
import type { Informer } from '../../client/informer.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { HostNetwork, Uplink } from './host-network.ts';
import {
  type Backend,
  cniConfiguration,
  type Peer,
  peerCommands,
  peersOf,
  podCidrOf,
  tunnelCommands,
  vxlanInterface,
  vxlanOverheadBytes,
} from './plan.ts';

export interface PodNetworkOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly serviceCidr: string;
  readonly backend: Backend;
  /** Where the runtime looks for its CNI configuration. */
  readonly cniConfDir: string;
  /** Where the address plugin remembers what it gave out; should be on a tmpfs, since a reboot ends all pods. */
  readonly ipamDir: string;
}

export interface PodNetworkDeps {
  readonly informers: InformerFactory;
  readonly host: HostNetwork;
  readonly clock: Clock;
  readonly log: Logger;
  /** The node has got its pod range, or another one. */
  readonly onPodCidr: (podCidr: string) => void;
}

export interface PodNetwork extends Component {
  /** This node's pod range; '' until the server has assigned one. */
  readonly podCidr: string;
}

const retryMs = 10_000;

/**
 * Connects the pods of this node with each other and with those of other nodes: kernel settings, CNI configuration, tunnel, routes. `start`
 * resolves at once; pods can start when the runtime has seen the CNI configuration, which needs the node's pod range. Stopping leaves
 * everything in place for the pods that keep running.
 */
export function createPodNetwork(options: PodNetworkOptions, deps: PodNetworkDeps): PodNetwork {
  return new BridgePodNetwork(options, deps);
}

class BridgePodNetwork implements PodNetwork {
  readonly name = 'pod-network';
  readonly #options: PodNetworkOptions;
  readonly #deps: PodNetworkDeps;
  readonly #nodes: Informer<Node>;
  #podCidr = '';
  #uplink: Uplink | undefined;
  #peers: readonly Peer[] = [];
  #running: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #removeHandler: (() => void) | undefined;
  #queued = false;
  #stopped = false;

  constructor(options: PodNetworkOptions, deps: PodNetworkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#nodes = deps.informers.get(Node);
  }

  get podCidr(): string {
    return this.#podCidr;
  }

  start(): Promise<void> {
    // Heartbeats change nodes all the time; only these parts matter here.
    const relevant = (node: Node): string => `${podCidrOf(node)} ${JSON.stringify(node.status.addresses ?? [])}`;
    this.#removeHandler = this.#nodes.addHandler({
      onAdd: () => this.#enqueue(),
      onUpdate: (next, previous) => {
        if (relevant(next) !== relevant(previous)) this.#enqueue();
      },
      onDelete: () => this.#enqueue(),
    });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#removeHandler?.();
    this.#cancelRetry?.();
    await this.#running;
  }

  #enqueue(): void {
    if (this.#queued || this.#stopped) return;
    this.#queued = true;
    this.#running = this.#running.then(async () => {
      this.#queued = false;
      await this.#update();
    });
  }

  async #update(): Promise<void> {
    try {
      const own = this.#nodes.get(this.#options.nodeName);
      if (!own || this.#stopped) return;
      const podCidr = podCidrOf(own);
      if (!podCidr) return;
      if (podCidr !== this.#podCidr) await this.#setUp(podCidr);
      await this.#connectPeers(peersOf(this.#nodes.list(), this.#options.nodeName));
    } catch (error) {
      this.#deps.log.error('the pod network could not be set up', { error });
      this.#cancelRetry = this.#deps.clock.after(retryMs, () => this.#enqueue());
    }
  }

  async #setUp(podCidr: string): Promise<void> {
    const { host } = this.#deps;
    const { nodeIp, backend, serviceCidr } = this.#options;
    await host.sysctl('net.ipv4.ip_forward', '1');
    // Services that end on the same node cross the bridge only; without this their answers would not be translated back.
    await host.sysctl('net.bridge.bridge-nf-call-iptables', '1');
    const uplink = await host.uplinkOf(nodeIp);
    const mtu = backend === 'vxlan' ? uplink.mtu - vxlanOverheadBytes : uplink.mtu;
    if (backend === 'vxlan') await this.#makeTunnel(podCidr, uplink, mtu);
    const serviceIp = serviceCidr.split('/')[0]!;
    // A connection is routed before it is redirected: without any route to the service range it would fail at once.
    if (!(await host.hasRoute(serviceIp))) await host.ip([`route replace ${serviceCidr} dev ${uplink.name} src ${nodeIp}`]);
    await this.#writeCni(cniConfiguration({ podCidr, mtu, ipamFolder: this.#options.ipamDir }));
    this.#uplink = uplink;
    this.#podCidr = podCidr;
    this.#peers = [];
    this.#deps.log.info('pod network ready', { podCidr, backend, uplink: uplink.name, mtu });
    this.#deps.onPodCidr(podCidr);
  }

  async #makeTunnel(podCidr: string, uplink: Uplink, mtu: number): Promise<void> {
    const { host } = this.#deps;
    // Made anew: it may be left from an earlier start with another address or range. Connections survive the moment without it.
    if (await host.linkExists(vxlanInterface)) await host.ip([`link del ${vxlanInterface}`]);
    await host.ip(tunnelCommands(podCidr, this.#options.nodeIp, uplink.name, mtu));
  }

  async #connectPeers(peers: readonly Peer[]): Promise<void> {
    const commands = peerCommands(this.#options.backend, this.#peers, peers, this.#uplink!.name);
    // Neighbours before routes; a route or neighbour that is already gone must not keep the others from being made.
    await this.#deps.host.bridge(commands.bridge, { force: true });
    await this.#deps.host.ip(commands.ip, { force: true });
    this.#peers = peers;
  }

  async #writeCni(text: string): Promise<void> {
    const { cniConfDir } = this.#options;
    const file = join(cniConfDir, '10-skiff.conflist');
    if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
    await mkdir(cniConfDir, { recursive: true });
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
}
