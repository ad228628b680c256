import type { Service } from '../../api/kinds/core/service.ts';
import type { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts';

/** One address behind a service port. */
export interface Backend {
  readonly ip: string;
  readonly port: number;
  /** On this node. */
  readonly local: boolean;
}

/** One port of one service, with everything a node must know to forward it. IPv4. */
export interface ServicePort {
  /** `namespace/name:port` */
  readonly id: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
  readonly clusterIp: string;
  /** External addresses on which the port is reachable as well: externalIPs and load-balancer addresses. */
  readonly externalIps: readonly string[];
  /** 0 when there is none. */
  readonly nodePort: number;
  /** Source ranges allowed on load-balancer addresses; empty = all. */
  readonly sourceRanges: readonly string[];
  /** 0 = no affinity. */
  readonly affinitySeconds: number;
  /** Traffic from inside, after internalTrafficPolicy. */
  readonly backends: readonly Backend[];
  /** Traffic from outside, after externalTrafficPolicy. */
  readonly externalBackends: readonly Backend[];
  readonly externalLocal: boolean;
}

/**
 * The service ports a node must serve, sorted by id. Upstream rules: ready endpoints; if there are none, endpoints that are serving while they
 * terminate; `Local` policies keep only this node's.
 */
export function servicePorts(
  services: readonly Service[],
  slicesOf: (service: Service) => readonly EndpointSlice[],
  nodeName: string,
): ServicePort[] {
  const ports: ServicePort[] = [];
  for (const service of services) {
    const clusterIp = service.spec.clusterIPs?.find(isIpv4) ?? service.spec.clusterIP;
    if (service.spec.type === 'ExternalName' || !clusterIp || !isIpv4(clusterIp)) continue;
    const slices = slicesOf(service).filter((s) => s.addressType === 'IPv4');
    for (const port of service.spec.ports ?? []) ports.push(servicePort(service, clusterIp, port, slices, nodeName));
  }
  return ports.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function servicePort(
  service: Service,
  clusterIp: string,
  port: NonNullable<Service['spec']['ports']>[number],
  slices: readonly EndpointSlice[],
  nodeName: string,
): ServicePort {
  const { spec } = service;
  const all = backendsOf(slices, port.name ?? '', port.protocol ?? 'TCP', nodeName);
  const externalLocal = spec.externalTrafficPolicy === 'Local';
  const affinity = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0;
  return {
    id: `${service.metadata.namespace}/${service.metadata.name}:${port.name ?? port.port}`,
    protocol: (port.protocol ?? 'TCP').toLowerCase() as ServicePort['protocol'],
    port: port.port,
    clusterIp,
    externalIps: [...(spec.externalIPs ?? []), ...loadBalancerIps(service)].filter(isIpv4),
    nodePort: port.nodePort ?? 0,
    sourceRanges: spec.type === 'LoadBalancer' ? (spec.loadBalancerSourceRanges ?? []) : [],
    affinitySeconds: affinity,
    backends: usable(spec.internalTrafficPolicy === 'Local' ? all.filter((b) => b.local) : all),
    externalBackends: usable(externalLocal ? all.filter((b) => b.local) : all),
    externalLocal,
  };
}

interface Candidate extends Backend {
  readonly ready: boolean;
  readonly serving: boolean;
}

function backendsOf(slices: readonly EndpointSlice[], portName: string, protocol: string, nodeName: string): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    const port = slice.ports?.find((p) => (p.name ?? '') === portName && (p.protocol ?? 'TCP') === protocol);
    if (!port?.port) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0];
      if (!ip) continue;
      const ready = endpoint.conditions?.ready ?? true;
      const serving = endpoint.conditions?.serving ?? ready;
      found.set(`${ip}:${port.port}`, { ip, port: port.port, local: endpoint.nodeName === nodeName, ready, serving });
    }
  }
  return [...found.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

function usable(candidates: readonly Candidate[]): Backend[] {
  const ready = candidates.filter((c) => c.ready);
  const chosen = ready.length > 0 ? ready : candidates.filter((c) => c.serving);
  return chosen.map(({ ip, port, local }) => ({ ip, port, local }));
}

function loadBalancerIps(service: Service): string[] {
  if (service.spec.type !== 'LoadBalancer') return [];
  return (service.status.loadBalancer?.ingress ?? []).flatMap((i) => (i.ip && i.ipMode !== 'Proxy' ? [i.ip] : []));
}

function isIpv4(ip: string): boolean {
  return ip.includes('.');
}
