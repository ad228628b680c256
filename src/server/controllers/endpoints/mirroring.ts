import type { Endpoint, EndpointAddress, EndpointSubset } from '../../../api/generated/types.ts';
import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { parseKey } from '../../../api/meta.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { applySlicePlan, managedByLabel, serviceNameLabel } from './endpoint-slice.ts';
import { planSlices, type SliceGroup } from './slices.ts';
import { hasSelector } from './targets.ts';

const manager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
/** Addresses of one subset that are mirrored. */
const addressesPerSubset = 1000;

/** Mirrors Endpoints that people write for services without selectors into EndpointSlices (upstream: endpointslicemirroring). */
export const endpointSliceMirroringController = defineController({
  name: 'endpointslicemirroring',
  watches: [
    primary(Endpoints),
    primary(Service),
    mapped(EndpointSlice, (slice) => {
      const service = slice.metadata.labels?.[serviceNameLabel];
      return service && slice.metadata.labels?.[managedByLabel] === manager ? [`${slice.metadata.namespace}/${service}`] : [];
    }),
  ],
  async reconcile(key, { informer, client }) {
    const { namespace = '', name } = parseKey(key);
    const endpoints = informer(Endpoints).get(key);
    const service = informer(Service).get(key);
    const existing = informer(EndpointSlice)
      .list(namespace)
      .filter((s) => s.metadata.labels?.[serviceNameLabel] === name && s.metadata.labels?.[managedByLabel] === manager);
    if (!endpoints) return;
    const mirrored = service !== undefined && !hasSelector(service) && isMirrored(endpoints);
    const { [skipLabel]: _skip, ...ownLabels } = endpoints.metadata.labels ?? {};
    const labels = { ...ownLabels, [serviceNameLabel]: name, [managedByLabel]: manager };
    const plan = mirrored
      ? planSlices(mirrorGroups(endpoints.subsets ?? []), existing, labels)
      : { create: [], update: [], delete: existing };
    await applySlicePlan(plan, { client, namespace, name, labels, owner: controllerReference(Endpoints, endpoints) });
  },
});

function isMirrored({ metadata }: Endpoints): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    metadata.labels?.[skipLabel] !== 'true' &&
    metadata.annotations?.[leaderAnnotation] === undefined
  );
}

/** One group per subset and address family. */
function mirrorGroups(subsets: readonly EndpointSubset[]): SliceGroup[] {
  return subsets.flatMap((subset) => {
    const ports = (subset.ports ?? []).map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol ? { appProtocol } : {}),
    }));
    const endpoints = [
      ...(subset.addresses ?? []).map((address) => mirror(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => mirror(address, false)),
    ].slice(0, addressesPerSubset);
    return (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
      const ofFamily = endpoints.filter((e) => e.addresses[0]?.includes(':') === (addressType === 'IPv6'));
      return ofFamily.length > 0 ? [{ addressType, ports, endpoints: ofFamily }] : [];
    });
  });
}

function mirror({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}
