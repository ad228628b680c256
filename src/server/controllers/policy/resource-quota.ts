import { groupResource, type Kind } from '../../../api/kind.ts';
import { attributesClassesOf, PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../../api/kinds/core/resource-quota.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { type KubeObject, keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { type Amounts, addAmounts, pieces, resourceListOf } from '../../../api/quota/amounts.ts';
import { quotaMatches } from '../../../api/quota/quota-scopes.ts';
import { quotaConcerns, quotaUsage } from '../../../api/quota/quota-usage.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import type { MetadataWatch } from '../../../reconcile/metadata-watch.ts';
import type { InformerOf } from '../../../reconcile/watches.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { isTerminal } from '../support/pods.ts';

const watched: readonly Kind[] = [Pod, Service, PersistentVolumeClaim];
/** How long after the last charge a quota is counted again, in case what was charged for has not been stored. */
const recountDelayMs = 10_000;

export interface ResourceQuotaControllerDeps {
  /** Every kind there is, and what is deleted of it. */
  readonly metadata: Pick<MetadataWatch, 'kinds' | 'addHandler'>;
}

/**
 * Keeps the status of ResourceQuotas: admission charges what comes, this gives back what has gone (upstream: pkg/controller/resourcequota).
 * A charge by itself is no reason to count: what is charged for is not stored yet, and would be given back.
 */
export function resourceQuotaController({ metadata }: ResourceQuotaControllerDeps): ControllerDefinition {
  return defineController({
    name: 'resourcequota',
    watches: [
      primary(ResourceQuota, {
        changed: (next, previous) =>
          !equalJson(next.spec, previous.spec) || !equalJson(next.status?.hard ?? {}, next.spec?.hard ?? {}),
      }),
      primary(ResourceQuota, {
        ignoresNew: true,
        delayMs: recountDelayMs,
        changed: (next, previous) => !equalJson(next.status?.used ?? {}, previous.status?.used ?? {}),
      }),
      mapped(Pod, quotasOf(Pod), {
        ignoresNew: true,
        changed: (next, previous) =>
          isTerminal(next) !== isTerminal(previous) || next.metadata.generation !== previous.metadata.generation,
      }),
      mapped(Service, quotasOf(Service), { ignoresNew: true, changed: (next, previous) => !equalJson(next.spec, previous.spec) }),
      mapped(PersistentVolumeClaim, quotasOf(PersistentVolumeClaim), {
        ignoresNew: true,
        changed: (next, previous) =>
          !equalJson(next.spec, previous.spec) ||
          !equalJson(next.status.allocatedResources, previous.status.allocatedResources) ||
          !equalJson(attributesClassesOf(next), attributesClassesOf(previous)),
      }),
    ],
    subscribe: (enqueue, informer) =>
      metadata.addHandler({
        onChange() {},
        onDelete(kind, object) {
          if (kind.scope === 'Namespaced' && !watched.includes(kind))
            for (const key of quotasOf(kind)(object, informer)) enqueue(key);
        },
      }),
    async reconcile(key, context) {
      const quota = context.informer(ResourceQuota).get(key);
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return;
      const hard = quota.spec?.hard ?? {};
      const named = metadata.kinds.filter((kind) => kind.scope === 'Namespaced' && limits(quota, kind));
      const used = resourceListOf(await usageOf({ ...quota, status: { ...quota.status, hard } }, named, context));
      const status = { hard, used };
      if (!equalJson(status, quota.status))
        await context.client.update(ResourceQuota, { ...quota, status }, { subresource: 'status' });
    },
  });
}

/** The keys of the quotas that limit an object's kind, where the object is. */
function quotasOf(kind: Kind): (object: KubeObject, informer: InformerOf) => string[] {
  return (object, informer) =>
    informer(ResourceQuota)
      .list(object.metadata.namespace)
      .filter((quota) => limits(quota, kind))
      .map(keyOf);
}

function limits(quota: ResourceQuota, kind: Kind): boolean {
  return Object.keys(quota.spec?.hard ?? {}).some((name) => quotaConcerns(kind, name));
}

async function usageOf(quota: ResourceQuota, kinds: readonly Kind[], context: ReconcileContext): Promise<Amounts> {
  const names = Object.keys(quota.spec?.hard ?? {});
  const used: Amounts = new Map(names.map((name) => [name, pieces(0)]));
  for (const kind of kinds) {
    for (const object of await objectsOf(kind, quota.metadata.namespace ?? '', context)) {
      if (!quotaMatches(quota, kind, object)) continue;
      const usage = quotaUsage(kind, object, context.clock.now());
      addAmounts(used, new Map([...usage].filter(([name]) => names.includes(name))));
    }
  }
  return used;
}

async function objectsOf(kind: Kind, namespace: string, { client, informer }: ReconcileContext): Promise<readonly KubeObject[]> {
  const known = watched.find((k) => groupResource(k) === groupResource(kind));
  return known ? informer(known).list(namespace) : (await client.list(kind, { namespace })).items;
}
