import type { OwnerReference } from '../../../api/generated/types.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { keyOf, parseKey } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabels } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import type { InformerOf } from '../../../reconcile/watches.ts';
import { mapped, primary, reads } from '../../../reconcile/watches.ts';
import { groupEndpoints, planSlices, type SliceGroup, type SlicePlan } from './slices.ts';
import { addressesOf, addressTypesOf, endpointOf, hasSelector, isHeadless, isTarget, portsOf } from './targets.ts';

/** On EndpointSlices: whose endpoints they are. */
export const serviceNameLabel = 'kubernetes.io/service-name';
/** On EndpointSlices: who writes them; others keep away. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const manager = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';

/** The services a pod is, or may be, a target of. */
export function servicesOfPod(pod: Pod, informer: InformerOf): string[] {
  const services = informer(Service).list(pod.metadata.namespace);
  return services.filter((s) => hasSelector(s) && matchesLabels(s.spec.selector, pod.metadata.labels)).map(keyOf);
}

/** True when something changed that endpoints show. */
export function podChangeShows(next: Pod, previous: Pod): boolean {
  const shown = ({ metadata, spec, status }: Pod): unknown => [
    metadata.labels,
    metadata.deletionTimestamp === undefined,
    spec.nodeName,
    status.phase,
    status.podIPs,
    status.conditions?.find((c) => c.type === 'Ready')?.status,
  ];
  return !equalJson(shown(next), shown(previous));
}

/** Keeps the EndpointSlices of services with selectors (upstream: pkg/controller/endpointslice and staging endpointslice). */
export const endpointSliceController = defineController({
  name: 'endpointslice',
  watches: [
    primary(Service),
    mapped(Pod, servicesOfPod, { changed: podChangeShows }),
    mapped(EndpointSlice, (slice) => {
      const service = slice.metadata.labels?.[serviceNameLabel];
      return service && slice.metadata.labels?.[managedByLabel] === manager ? [`${slice.metadata.namespace}/${service}`] : [];
    }),
    reads(Node),
  ],
  concurrency: 4,
  async reconcile(key, context) {
    const { informer, client } = context;
    const service = informer(Service).get(key);
    const { namespace = '', name } = parseKey(key);
    const existing = informer(EndpointSlice)
      .list(namespace)
      .filter((s) => s.metadata.labels?.[serviceNameLabel] === name && s.metadata.labels?.[managedByLabel] === manager);
    // The slices of a deleted service go with it, by their owner reference.
    if (!service || service.metadata.deletionTimestamp !== undefined || !hasSelector(service)) return;
    const labels = sliceLabels(service);
    const plan = planSlices(groupsOf(service, context), existing, labels);
    await applySlicePlan(plan, { client, namespace, name, labels, owner: controllerReference(Service, service) });
  },
});

function sliceLabels(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: manager,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
  };
}

function groupsOf(service: Service, { informer }: ReconcileContext): SliceGroup[] {
  const pods = informer(Pod)
    .list(service.metadata.namespace)
    .filter((pod) => matchesLabels(service.spec.selector, pod.metadata.labels) && isTarget(pod))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return addressTypesOf(service).flatMap((type) => {
    const targets = pods
      .filter((pod) => addressesOf(pod, type).length > 0)
      .map((pod) => ({
        ports: portsOf(service, pod),
        endpoint: endpointOf(pod, service, informer(Node).get(pod.spec.nodeName ?? ''), type),
      }));
    // A service without targets has one empty slice: consumers see that it was looked after.
    return targets.length > 0 ? groupEndpoints(type, targets) : [{ addressType: type, ports: [], endpoints: [] }];
  });
}

/** Writes a plan; all new slices get the labels and the owner. */
export async function applySlicePlan(
  plan: SlicePlan,
  target: { client: Client; namespace: string; name: string; labels: Record<string, string>; owner: OwnerReference },
): Promise<void> {
  const { client, namespace, name, labels, owner } = target;
  for (const group of plan.create) {
    await client.create(EndpointSlice, {
      metadata: { namespace, generateName: `${name}-`, labels, ownerReferences: [owner] },
      addressType: group.addressType,
      ports: [...group.ports],
      endpoints: [...group.endpoints],
    });
  }
  for (const slice of plan.update) await client.update(EndpointSlice, slice);
  for (const { metadata } of plan.delete) {
    try {
      await client.delete(EndpointSlice, { namespace, name: metadata.name }, { preconditions: { uid: metadata.uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
