import { groupResource, type Kind } from '../../../api/kind.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../../api/kinds/core/resource-quota.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { type KubeObject, keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { type Amounts, addAmounts, pieces, resourceListOf } from '../../../api/quota/amounts.ts';
import { quotaMatches } from '../../../api/quota/quota-scopes.ts';
import { quotaConcerns, quotaUsage } from '../../../api/quota/quota-usage.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import type { InformerOf } from '../../../reconcile/watches.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { isTerminal } from '../support/pods.ts';

const watched: readonly Kind[] = [Pod, Service, PersistentVolumeClaim];
/** Kinds nobody watches for their quota are counted again this often, while a quota names them. */
const recountMs = 5 * 60_000;

function quotasIn(object: KubeObject, informer: InformerOf): string[] {
  return informer(ResourceQuota).list(object.metadata.namespace).map(keyOf);
}

/**
 * Keeps the status of ResourceQuotas: admission charges what comes, this gives back what has gone (upstream: pkg/controller/resourcequota).
 * `kinds` are all there are.
 */
export function resourceQuotaController(kinds: () => readonly Kind[]): ControllerDefinition {
  return defineController({
    name: 'resourcequota',
    watches: [
      primary(ResourceQuota),
      mapped(Pod, quotasIn, {
        changed: (next, previous) =>
          isTerminal(next) !== isTerminal(previous) || next.metadata.generation !== previous.metadata.generation,
      }),
      mapped(Service, quotasIn),
      mapped(PersistentVolumeClaim, quotasIn, { changed: (next, previous) => !equalJson(next.spec, previous.spec) }),
    ],
    async reconcile(key, context) {
      const quota = context.informer(ResourceQuota).get(key);
      if (!quota || quota.metadata.deletionTimestamp !== undefined) return;
      const hard = quota.spec?.hard ?? {};
      const names = Object.keys(hard);
      const named = kinds().filter((kind) => kind.scope === 'Namespaced' && names.some((name) => quotaConcerns(kind, name)));
      const used = resourceListOf(await usageOf({ ...quota, status: { ...quota.status, hard } }, named, context));
      const status = { hard, used };
      if (!equalJson(status, quota.status))
        await context.client.update(ResourceQuota, { ...quota, status }, { subresource: 'status' });
      if (named.some((kind) => !watched.includes(kind))) context.requeueAfter(recountMs);
    },
  });
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
