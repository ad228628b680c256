import type { DiscoveryEndpointPort, Endpoint, ServicePort } from '../../../api/generated/types.ts';
import type { Node } from '../../../api/kinds/core/node.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import type { Service } from '../../../api/kinds/core/service.ts';
import { isReady, isTerminal } from '../support/pods.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** Services that have endpoints made from pods: those with a selector that are not mere names. */
export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec.selector ?? {}).length > 0 && service.spec.type !== 'ExternalName';
}

/** True when the name of the Service stands for its pods, not for an address. */
export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None';
}

/** The families of addresses the Service has; IPv4 when it does not say. */
export function addressTypesOf(service: Service): AddressType[] {
  const families = (service.spec.ipFamilies ?? []).filter((f): f is AddressType => f === 'IPv4' || f === 'IPv6');
  return families.length > 0 ? families : ['IPv4'];
}

/** True when the pod can be a target: it has an address and its containers may still run. */
export function isTarget(pod: Pod): boolean {
  return !isTerminal(pod) && (pod.status.podIPs?.length ?? 0) > 0;
}

/** The pod's addresses of one family. */
export function addressesOf(pod: Pod, type: AddressType): string[] {
  const wantsColon = type === 'IPv6';
  return (pod.status.podIPs ?? [])
    .map(({ ip }) => ip)
    .filter((ip): ip is string => ip !== undefined && ip.includes(':') === wantsColon);
}

/** The port of a pod a service port leads to; undefined when the pod has no port of that name. */
export function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target || port.port;
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find((p) => p.name === target && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
    if (found) return found.containerPort;
  }
  return undefined;
}

/** The ports of a service as this pod has them. Pods that name ports differently give different lists, and with them different slices. */
export function portsOf(service: Service, pod: Pod): DiscoveryEndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(port, pod);
    if (number === undefined) return [];
    const { appProtocol } = port;
    return [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...(appProtocol ? { appProtocol } : {}) }];
  });
}

/** The name by which DNS knows the pod within its service. */
export function hostnameOf(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace
    ? hostname
    : undefined;
}

/** A pod as an endpoint of a service; `ready` is never true of a pod that is ending, unless not-ready addresses are published. */
export function endpointOf(pod: Pod, service: Service, node: Node | undefined, type: AddressType): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const hostname = hostnameOf(service, pod);
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'];
  const { nodeName } = pod.spec;
  const { namespace = '', name, uid } = pod.metadata;
  const hints = hintsOf(service, zone, nodeName);
  return {
    addresses: addressesOf(pod, type),
    conditions: { ready: Boolean(service.spec.publishNotReadyAddresses) || (serving && !terminating), serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    ...(hostname ? { hostname } : {}),
    ...(hints ? { hints } : {}),
  };
}

/** spec.trafficDistribution: every endpoint is meant for its own zone (and node). */
function hintsOf(service: Service, zone: string | undefined, node: string | undefined): Endpoint['hints'] | undefined {
  const { trafficDistribution } = service.spec;
  const forZones = zone ? [{ name: zone }] : undefined;
  if (trafficDistribution === 'PreferClose' || trafficDistribution === 'PreferSameZone') return forZones && { forZones };
  if (trafficDistribution !== 'PreferSameNode') return undefined;
  return node ? { ...(forZones ? { forZones } : {}), forNodes: [{ name: node }] } : undefined;
}
