import type { Pod } from '../../api/kinds/core/pod.ts';
import { Service } from '../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts';
import { keyOf } from '../../api/meta.ts';
import type { Informer } from '../../client/informer.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { Nft } from '../nft/nft.ts';
import { renderChanges, renderTable, type Table } from '../nft/table.ts';
import { hostPortsOf } from './host-ports.ts';
import { planTable } from './plan.ts';
import { servicePorts } from './service-ports.ts';

export interface ServiceProxyDeps {
  readonly informers: InformerFactory;
  /** The pods of this node, for host ports. */
  readonly pods: Informer<Pod>;
  readonly nft: Nft;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ServiceProxyOptions {
  readonly nodeName: string;
  readonly tableName: string;
  readonly clusterCidr: string;
  /** This node's pod range; asked at every load, because it is assigned after the node has registered. */
  readonly podCidr: () => string;
}

export interface ServiceProxy extends Component {
  /** Loads again when something outside of services has changed (the node's pod range). */
  refresh(): void;
}

/** Changes that arrive within this time are applied together. */
const coalesceMs = 20;
/** After nft refused a load. */
const retryMs = 10_000;

/** Keeps the node's nftables table in step with services, endpoints and host ports. Stopping leaves the rules: pods keep their connections. */
export function createServiceProxy(options: ServiceProxyOptions, deps: ServiceProxyDeps): ServiceProxy {
  return new NftablesServiceProxy(options, deps);
}

class NftablesServiceProxy implements ServiceProxy {
  readonly name = 'service-proxy';
  readonly #options: ServiceProxyOptions;
  readonly #deps: ServiceProxyDeps;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  #loaded: Table | undefined;
  #pending: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();
  #synced = false;
  #stopped = false;
  #removeHandlers: (() => void)[] = [];

  constructor(options: ServiceProxyOptions, deps: ServiceProxyDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#services = deps.informers.get(Service);
    this.#slices = deps.informers.get(EndpointSlice);
    this.#slices.addIndex(serviceIndex, (slice) => [serviceOf(slice)]);
  }

  /** Resolves at once: the rules follow when the server has told services and endpoints. Until then those of the last run stay. */
  start(): Promise<void> {
    const changed = { onAdd: () => this.refresh(), onUpdate: () => this.refresh(), onDelete: () => this.refresh() };
    this.#removeHandlers = [
      this.#services.addHandler(changed),
      this.#slices.addHandler(changed),
      this.#deps.pods.addHandler(changed),
    ];
    void Promise.all([this.#services.synced, this.#slices.synced, this.#deps.pods.synced]).then(() => {
      this.#synced = true;
      this.refresh();
    });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const remove of this.#removeHandlers) remove();
    this.#pending?.();
    await this.#running;
  }

  refresh(): void {
    this.#schedule(coalesceMs);
  }

  #schedule(delayMs: number): void {
    if (!this.#synced || this.#stopped || this.#pending) return;
    this.#pending = this.#deps.clock.after(delayMs, () => {
      this.#pending = undefined;
      void this.#enqueue();
    });
  }

  #enqueue(): Promise<void> {
    this.#running = this.#running.then(() => this.#load());
    return this.#running;
  }

  async #load(): Promise<void> {
    const { nodeName, tableName, clusterCidr, podCidr } = this.#options;
    const slicesOf = (service: Service): readonly EndpointSlice[] => this.#slices.byIndex(serviceIndex, keyOf(service));
    const wanted = planTable({
      tableName,
      clusterCidr,
      podCidr: podCidr(),
      services: servicePorts(this.#services.list(), slicesOf, nodeName),
      hostPorts: hostPortsOf(this.#deps.pods.list()),
    });
    const script = this.#loaded ? renderChanges(this.#loaded, wanted) : renderTable(wanted);
    if (script === undefined) return;
    try {
      await this.#deps.nft.apply(script);
      this.#loaded = wanted;
    } catch (error) {
      // Somebody may have changed the table under us: the next load replaces it whole.
      this.#loaded = undefined;
      this.#deps.log.error('service rules could not be loaded; services may be unreachable from this node', { error });
      this.#schedule(retryMs);
    }
  }
}

const serviceIndex = 'service';

function serviceOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
}
