import type * as t from '../../generated/types.ts';
import { semanticEqual } from '../../validation/equal.ts';

/** Questions about services, and what an update carries over. kubernetes: pkg/registry/core/service/{strategy.go,storage/alloc.go}. */

export const isHeadless = ({ clusterIPs }: t.ServiceSpec): boolean => clusterIPs?.length === 1 && clusterIPs[0] === 'None';

const needsClusterIp = ({ type }: t.ServiceSpec): boolean => type !== 'ExternalName';

function needsNodePort({ type, allocateLoadBalancerNodePorts }: t.ServiceSpec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheckPort({ type, externalTrafficPolicy }: t.ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

/** Reachable from outside the cluster, so that externalTrafficPolicy means something. */
export function isExternallyAccessible({ type, externalIPs }: t.ServiceSpec): boolean {
  return type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);
}

/** Brings `clusterIP` and `clusterIPs[0]` together: clients may know only one of the two. */
export function normalizeClusterIps(next: t.ServiceSpec, previous?: t.ServiceSpec): void {
  if (!previous) {
    if (next.clusterIP && !next.clusterIPs?.length) next.clusterIPs = [next.clusterIP];
    return;
  }
  if ((next.clusterIP ?? '') === (previous.clusterIP ?? '')) return;
  if (!semanticEqual(next.clusterIPs, previous.clusterIPs)) return;
  if (next.clusterIP) next.clusterIPs = [next.clusterIP];
  else if (previous.clusterIP) delete next.clusterIPs;
}

/** A `PUT` that leaves out what the server allocated keeps it. */
export function keepAllocated(next: t.ServiceSpec, previous: t.ServiceSpec): void {
  if (needsClusterIp(next) && needsClusterIp(previous)) {
    if (!next.clusterIP && previous.clusterIP) next.clusterIP = previous.clusterIP;
    if (!next.clusterIPs?.length && previous.clusterIPs) next.clusterIPs = previous.clusterIPs;
    if (!next.ipFamilies?.length && previous.ipFamilies) next.ipFamilies = previous.ipFamilies;
    if (next.ipFamilyPolicy === undefined && previous.ipFamilyPolicy) next.ipFamilyPolicy = previous.ipFamilyPolicy;
  }
  if (needsNodePort(next) && needsNodePort(previous)) keepNodePorts(next, previous);
  if (needsHealthCheckPort(next) && needsHealthCheckPort(previous)) {
    if (!next.healthCheckNodePort && previous.healthCheckNodePort) next.healthCheckNodePort = previous.healthCheckNodePort;
  }
}

/** A port keeps what was allocated for its name, whatever else changed, unless another one asks for that now. */
function keepNodePorts({ ports = [] }: t.ServiceSpec, previous: t.ServiceSpec): void {
  const before = new Map(previous.ports?.map((port) => [port.name ?? '', port.nodePort]));
  const wanted = new Set(ports.map((port) => port.nodePort).filter(Boolean));
  for (const port of ports) {
    const allocated = before.get(port.name ?? '');
    if (!port.nodePort && allocated && !wanted.has(allocated)) port.nodePort = allocated;
  }
}

/** A change of type drops what the new type has no use for, unless the client changed that as well: then validation complains. */
export function dropUnused(next: t.ServiceSpec, previous: t.ServiceSpec): void {
  if (needsClusterIp(previous) && !needsClusterIp(next)) {
    const same = next.clusterIP === previous.clusterIP && semanticEqual(next.clusterIPs, previous.clusterIPs);
    if (same) {
      delete next.clusterIP;
      delete next.clusterIPs;
    }
    dropIfSame(next, previous, 'ipFamilies');
    dropIfSame(next, previous, 'ipFamilyPolicy');
  }
  if (needsNodePort(previous) && !needsNodePort(next)) {
    const ports = (spec: t.ServiceSpec): number[] => (spec.ports ?? []).map((p) => p.nodePort ?? 0).filter(Boolean);
    if (ports(next).every((p) => ports(previous).includes(p))) for (const port of next.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheckPort(previous) && !needsHealthCheckPort(next)) dropIfSame(next, previous, 'healthCheckNodePort');
  if (previous.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    dropIfSame(next, previous, 'allocateLoadBalancerNodePorts');
    dropIfSame(next, previous, 'loadBalancerClass');
  }
  if (isExternallyAccessible(previous) && !isExternallyAccessible(next)) dropIfSame(next, previous, 'externalTrafficPolicy');
}

function dropIfSame(next: t.ServiceSpec, previous: t.ServiceSpec, field: keyof t.ServiceSpec): void {
  if (semanticEqual(next[field], previous[field])) delete next[field];
}
