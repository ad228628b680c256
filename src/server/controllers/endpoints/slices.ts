import type { DiscoveryEndpointPort, Endpoint } from '../../../api/generated/types.ts';
import type { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { canonicalJson } from '../support/hash.ts';

/** Endpoints in one slice at most (upstream's --max-endpoints-per-slice). */
const endpointsPerSlice = 100;

/** Endpoints that have one list of ports and one address type: they share slices. */
export interface SliceGroup {
  readonly addressType: string;
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** What must be written so that slices hold the groups. */
export interface SlicePlan {
  readonly create: readonly SliceGroup[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

/** Groups endpoints by the ports they have. */
export function groupEndpoints(
  addressType: string,
  targets: readonly { ports: readonly DiscoveryEndpointPort[]; endpoint: Endpoint }[],
): SliceGroup[] {
  const groups = new Map<string, { ports: readonly DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const { ports, endpoint } of targets) {
    const id = canonicalJson(ports);
    const group = groups.get(id);
    if (group) group.endpoints.push(endpoint);
    else groups.set(id, { ports, endpoints: [endpoint] });
  }
  return [...groups.values()].map((group) => ({ addressType, ...group }));
}

/**
 * The fewest writes: an endpoint stays in the slice it is in, new ones fill slices that are written anyway or have room, slices that
 * become empty go. `labels` are those every slice must have.
 */
export function planSlices(
  groups: readonly SliceGroup[],
  existing: readonly EndpointSlice[],
  labels: Readonly<Record<string, string>>,
): SlicePlan {
  const create: SliceGroup[] = [];
  const update: EndpointSlice[] = [];
  const used = new Set<EndpointSlice>();
  for (const group of groups) {
    const own = existing.filter((slice) => slice.addressType === group.addressType && equalJson(slice.ports ?? [], group.ports));
    const { kept, left } = keep(group, own);
    const rest = fill(kept, left);
    let hasPlaceholder = group.endpoints.length > 0;
    for (const [slice, endpoints] of kept) {
      if (endpoints.length === 0 && hasPlaceholder) continue;
      hasPlaceholder ||= endpoints.length === 0;
      used.add(slice);
      const next = { ...slice, metadata: { ...slice.metadata, labels: { ...labels } }, endpoints };
      if (!equalJson(next, { ...slice, endpoints: slice.endpoints ?? [] })) update.push(next);
    }
    for (let i = 0; i < rest.length; i += endpointsPerSlice)
      create.push({ ...group, endpoints: rest.slice(i, i + endpointsPerSlice) });
    if (group.endpoints.length === 0 && own.length === 0) create.push(group);
  }
  return reuse({ create, update, delete: existing.filter((slice) => !used.has(slice)) }, labels);
}

/** A slice that would go while another comes is changed instead: its name, and what watchers know of it, stays. */
function reuse(plan: SlicePlan, labels: Readonly<Record<string, string>>): SlicePlan {
  const spare = [...plan.delete];
  const create: SliceGroup[] = [];
  const update = [...plan.update];
  for (const group of plan.create) {
    const at = spare.findIndex((slice) => slice.addressType === group.addressType);
    const [slice] = at < 0 ? [] : spare.splice(at, 1);
    if (!slice) create.push(group);
    else {
      const metadata = { ...slice.metadata, labels: { ...labels } };
      update.push({ ...slice, metadata, ports: [...group.ports], endpoints: [...group.endpoints] });
    }
  }
  return { create, update, delete: spare };
}

/** Which of the wanted endpoints each slice holds already, and which are in none. */
function keep(group: SliceGroup, slices: readonly EndpointSlice[]): { kept: Map<EndpointSlice, Endpoint[]>; left: Endpoint[] } {
  const wanted = new Map(group.endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const kept = new Map<EndpointSlice, Endpoint[]>();
  for (const slice of slices) {
    const found: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const now = wanted.get(identityOf(endpoint));
      if (!now) continue;
      wanted.delete(identityOf(endpoint));
      found.push(now);
    }
    kept.set(slice, found);
  }
  return { kept, left: [...wanted.values()] };
}

/** Fills the fullest slices first; what fits nowhere is returned. */
function fill(kept: Map<EndpointSlice, Endpoint[]>, left: readonly Endpoint[]): Endpoint[] {
  let rest = [...left];
  const fullestFirst = [...kept.values()].sort((a, b) => b.length - a.length);
  for (const endpoints of fullestFirst) {
    const room = endpointsPerSlice - endpoints.length;
    endpoints.push(...rest.slice(0, room));
    rest = rest.slice(room);
  }
  return rest;
}

function identityOf({ targetRef, addresses }: Endpoint): string {
  return targetRef?.uid ?? addresses.join(',');
}
