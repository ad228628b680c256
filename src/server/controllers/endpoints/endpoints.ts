import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { parseKey } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabels } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { podChangeShows, servicesOfPod } from './endpoint-slice.ts';
import { subsetsOf, truncated } from './subsets.ts';
import { hasSelector, isHeadless } from './targets.ts';

const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const manager = 'endpoint-controller';
const headlessLabel = 'service.kubernetes.io/headless';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';

/** Keeps the Endpoints of services with selectors, for those who still read the old API (upstream: pkg/controller/endpoint). */
export const endpointsController = defineController({
  name: 'endpoint',
  watches: [
    primary(Service),
    mapped(Pod, servicesOfPod, { changed: podChangeShows }),
    mapped(Endpoints, (endpoints) =>
      endpoints.metadata.labels?.[managedByLabel] === manager
        ? [`${endpoints.metadata.namespace}/${endpoints.metadata.name}`]
        : [],
    ),
  ],
  concurrency: 4,
  async reconcile(key, { informer, client }) {
    const service = informer(Service).get(key);
    const existing = informer(Endpoints).get(key);
    const { namespace = '', name } = parseKey(key);
    if (!service) {
      // Without a service nobody looks at them any more, whoever made them.
      if (existing?.metadata.labels?.[managedByLabel] === manager)
        await ignoreMissing(client.delete(Endpoints, { namespace, name }));
      return;
    }
    if (!hasSelector(service)) return;
    const pods = informer(Pod)
      .list(namespace)
      .filter((pod) => matchesLabels(service.spec.selector, pod.metadata.labels));
    const { subsets, cut } = truncated(subsetsOf(service, pods));
    const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
    const { [overCapacityAnnotation]: _over, ...annotations } = existing?.metadata.annotations ?? {};
    const metadata = {
      labels: { ...labels, [managedByLabel]: manager, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) },
      annotations: { ...annotations, ...(cut ? { [overCapacityAnnotation]: 'truncated' } : {}) },
    };
    if (!existing) {
      await client.create(Endpoints, { metadata: { namespace, name, ...metadata }, subsets });
      return;
    }
    const next = { ...existing, metadata: { ...existing.metadata, ...metadata }, subsets };
    const before = {
      ...existing,
      metadata: { ...existing.metadata, annotations: existing.metadata.annotations ?? {} },
      subsets: existing.subsets ?? [],
    };
    if (!equalJson(next, before)) await client.update(Endpoints, next);
  },
});

async function ignoreMissing(request: Promise<void>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
