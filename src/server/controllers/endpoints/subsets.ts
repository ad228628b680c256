import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../../api/generated/types.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import type { Service } from '../../../api/kinds/core/service.ts';
import { canonicalJson } from '../support/hash.ts';
import { isReady } from '../support/pods.ts';
import { addressesOf, addressTypesOf, hostnameOf, isHeadless, isTarget, targetPortOf } from './targets.ts';

/** Addresses in one Endpoints object at most; the rest is cut off. */
const addressesPerEndpoints = 1000;

interface Target {
  readonly address: EndpointAddress;
  readonly ready: boolean;
}

/** The subsets of the old Endpoints API: addresses that share a list of ports (upstream: pkg/api/v1/endpoints RepackSubsets). */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const portsByAddress = new Map<string, { target: Target; ports: EndpointPort[] }>();
  for (const pod of pods) {
    const target = targetOf(service, pod);
    if (!target) continue;
    portsByAddress.set(pod.metadata.uid, { target, ports: portsOf(service, pod) });
  }
  const subsets = new Map<string, { ports: EndpointPort[]; targets: Target[] }>();
  for (const { target, ports } of portsByAddress.values()) {
    if (ports.length === 0 && !(isHeadless(service) && !service.spec.ports?.length)) continue;
    const id = canonicalJson(ports);
    const subset = subsets.get(id);
    if (subset) subset.targets.push(target);
    else subsets.set(id, { ports, targets: [target] });
  }
  return [...subsets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subset]) => composeSubset(subset));
}

function targetOf(service: Service, pod: Pod): Target | undefined {
  const publishAll = Boolean(service.spec.publishNotReadyAddresses);
  if (!isTarget(pod) || (pod.metadata.deletionTimestamp !== undefined && !publishAll)) return undefined;
  const [ip] = addressesOf(pod, addressTypesOf(service)[0] ?? 'IPv4');
  if (ip === undefined) return undefined;
  const { namespace = '', name, uid } = pod.metadata;
  const hostname = hostnameOf(service, pod);
  const { nodeName } = pod.spec;
  const address: EndpointAddress = {
    ip,
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
  return { address, ready: publishAll || isReady(pod) };
}

function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const number = targetPortOf(port, pod);
    if (number === undefined) return [];
    const { name, appProtocol } = port;
    return [
      { ...(name ? { name } : {}), port: number, protocol: port.protocol ?? 'TCP', ...(appProtocol ? { appProtocol } : {}) },
    ];
  });
}

function composeSubset({ ports, targets }: { ports: EndpointPort[]; targets: Target[] }): EndpointSubset {
  const sorted = [...targets].sort((a, b) => (a.address.ip < b.address.ip ? -1 : 1));
  const addresses = sorted.filter((t) => t.ready).map((t) => t.address);
  const notReadyAddresses = sorted.filter((t) => !t.ready).map((t) => t.address);
  return {
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  };
}

/** Cuts subsets down to the limit; ready addresses stay first. */
export function truncated(subsets: readonly EndpointSubset[]): { subsets: EndpointSubset[]; cut: boolean } {
  let room = addressesPerEndpoints;
  let cut = false;
  const take = (list: EndpointAddress[] | undefined): EndpointAddress[] => {
    const taken = (list ?? []).slice(0, room);
    cut ||= taken.length < (list ?? []).length;
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map((subset) => take(subset.addresses));
  const all = subsets.map(({ ports, notReadyAddresses }, i) => {
    const notReady = take(notReadyAddresses);
    const addresses = ready[i] ?? [];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports ? { ports } : {}),
    };
  });
  return { subsets: all, cut };
}
