import type { Container, PodSpec } from '../../api/generated/types.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { quantityMilliValue, quantityValue } from '../../lib/quantity.ts';

/** Amounts by resource name: CPU in thousandths of a core, everything else in whole units (bytes, pieces). */
export type Amounts = ReadonlyMap<string, number>;

type ResourceList = Readonly<Record<string, string>> | undefined;

/** What a container without a request counts as when nodes are compared (not when they are filtered); upstream's defaults. */
const assumedRequest: ReadonlyMap<string, number> = new Map([
  ['cpu', 100],
  ['memory', 200 * 1024 * 1024],
]);

function amountOf(resource: string, text: string | undefined): number {
  return resource === 'cpu' ? quantityMilliValue(text) : quantityValue(text);
}

/** Quantities as numbers: cpu in thousandths, everything else in whole units. */
export function amountsOf(list: ResourceList): Map<string, number> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(name, text)]));
}

function addTo(total: Map<string, number>, more: Amounts): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? 0) + amount);
}

function raiseTo(total: Map<string, number>, floor: Amounts): void {
  for (const [name, amount] of floor) total.set(name, Math.max(total.get(name) ?? 0, amount));
}

function requestsOf(container: Container, allocated: ResourceList, assume: boolean): Map<string, number> {
  const requests = amountsOf(container.resources?.requests);
  // While a resize is under way both what is wished for and what was given count.
  if (allocated) raiseTo(requests, amountsOf(allocated));
  if (assume) for (const [name, amount] of assumedRequest) if (!requests.get(name)) requests.set(name, amount);
  return requests;
}

/**
 * What a pod takes from its node: its containers and side-cars together, or the hungriest moment of its initialization if that is more,
 * plus the overhead of its runtime class (upstream: component-helpers/resource/helpers.go). `assume` fills in absent requests.
 */
export function podRequests(pod: Pod, assume = false): Amounts {
  const { spec } = pod;
  const total = containerRequests(pod, assume);
  if (spec.resources?.requests)
    for (const [name, text] of Object.entries(spec.resources.requests)) total.set(name, amountOf(name, text));
  addTo(total, amountsOf(spec.overhead));
  return total;
}

function containerRequests({ spec, status }: Pod, assume: boolean): Map<string, number> {
  const allocated = new Map((status.containerStatuses ?? []).map((s) => [s.name, s.allocatedResources]));
  const total = new Map<string, number>();
  for (const container of spec.containers) addTo(total, requestsOf(container, allocated.get(container.name), assume));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container, undefined, assume);
    if (container.restartPolicy === 'Always') {
      addTo(total, requests);
      addTo(sidecars, requests);
      raiseTo(peak, sidecars);
    } else {
      addTo(requests, sidecars);
      raiseTo(peak, requests);
    }
  }
  raiseTo(total, peak);
  return total;
}

/** A port of the node that a pod takes. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** The ports of the node that the pod's containers take; those of init containers that end are free by then. */
export function hostPorts(spec: PodSpec): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return [...spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((p) => (p.hostPort ?? 0) > 0)
      .map((p) => ({ ip: p.hostIP || '0.0.0.0', protocol: p.protocol ?? 'TCP', port: p.hostPort! })),
  );
}

/** Two host ports collide on the same protocol and number when they share an address; 0.0.0.0 shares every one. */
export function portsCollide(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
}
