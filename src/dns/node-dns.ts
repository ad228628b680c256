import { readFileSync } from 'node:fs';
import { Namespace } from '../api/kinds/core/namespace.ts';
import { Service } from '../api/kinds/core/service.ts';
import { EndpointSlice } from '../api/kinds/discovery/endpoint-slice.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import type { ClusterSource } from './cluster-records.ts';
import { createClusterHandler } from './handlers/cluster.ts';
import { createForwardHandler } from './handlers/forward.ts';
import { createDnsServer } from './server.ts';

export interface NodeDnsOptions {
  /** The cluster DNS address; every node has it and answers by itself. */
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  /** A resolv.conf with the resolvers for everything outside the cluster. */
  readonly resolvConf: string;
}

export interface NodeDnsDeps {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives the address to this host, so that it can be listened on. */
  readonly claimAddress: (address: string) => Promise<void>;
}

/** Cluster DNS on the node itself, from its own informers: it answers when the server is away, and costs no pod. */
export function createNodeDns(options: NodeDnsOptions, deps: NodeDnsDeps): Component {
  const source = createClusterSource(deps.informers);
  const upstreams = (): string[] => readResolvers(options.resolvConf).filter((ip) => ip !== options.address);
  const server = createDnsServer({
    address: options.address,
    port: options.port,
    handlers: [createClusterHandler(options.domain, source), createForwardHandler({ upstreams, clock: deps.clock })],
    log: deps.log,
  });
  return {
    name: 'dns',
    async start() {
      await deps.claimAddress(options.address);
      await server.start();
    },
    stop: () => server.stop(),
  };
}

const serviceIndex = 'service';
const clusterIpIndex = 'cluster-ip';

function createClusterSource(informers: InformerFactory): ClusterSource {
  const services = informers.get(Service);
  const slices = informers.get(EndpointSlice);
  const namespaces = informers.get(Namespace);
  services.addIndex(clusterIpIndex, (service) => service.spec.clusterIPs ?? []);
  slices.addIndex(serviceIndex, (slice) => [
    `${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`,
  ]);
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    slices: (namespace, service) => slices.byIndex(serviceIndex, `${namespace}/${service}`),
    namespaceExists: (namespace) => namespaces.get(namespace) !== undefined,
    serviceOfIp(ip) {
      const service = services.byIndex(clusterIpIndex, ip)[0];
      return service && { namespace: service.metadata.namespace!, name: service.metadata.name };
    },
  };
}

/** The `nameserver` lines of a resolv.conf; none when it cannot be read. */
function readResolvers(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((m) => m[1]!.replace(/%.*$/, ''));
}
