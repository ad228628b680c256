import { groupResource, type Kind } from '../../../api/kind.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { errorChain } from '../../../lib/log.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { type Content, conditionsFor, remainingOf } from './conditions.ts';

/** The finalizer in spec.finalizers that this controller answers for. */
const kubernetesFinalizer = 'kubernetes';
const pageSize = 500;
/** Deletions of one namespace under way at the same time. */
const parallelDeletions = 16;
/** Content that others hold back by finalizers is looked at again after this time; the end of pods is noticed at once. */
const lookAgainMs = 2_000;
const podFallbackMs = 15_000;

/** Empties namespaces that are being deleted, pods first, then lets them go (upstream: pkg/controller/namespace). `kinds` are all there are. */
export function namespaceController(kinds: () => readonly Kind[]): ControllerDefinition {
  return defineController({
    name: 'namespace',
    watches: [
      primary(Namespace, { changed: (next) => next.metadata.deletionTimestamp !== undefined }),
      mapped(
        Pod,
        (pod, informer) => {
          const namespace = pod.metadata.namespace ?? '';
          return informer(Namespace).get(namespace)?.metadata.deletionTimestamp === undefined ? [] : [namespace];
        },
        { changed: () => false },
      ),
    ],
    concurrency: 4,
    async reconcile(key, context) {
      const namespace = context.informer(Namespace).get(key);
      if (namespace?.metadata.deletionTimestamp === undefined) return;
      if (!namespace.spec.finalizers?.includes(kubernetesFinalizer)) return;
      await finalize(namespace, kinds(), context);
    },
  });
}

async function finalize(namespace: Namespace, kinds: readonly Kind[], context: ReconcileContext): Promise<void> {
  const { name } = namespace.metadata;
  const content: Content = { remaining: new Map(), finalizers: new Map(), failures: [] };
  await empty(Pod, name, context.client, content);
  const podsRemain = content.remaining.size > 0;
  if (!podsRemain) {
    const others = kinds.filter((kind) => kind.scope === 'Namespaced' && groupResource(kind) !== 'pods');
    for (const kind of others) await empty(kind, name, context.client, content);
  }
  const current = await writeConditions(namespace, content, context);
  if (content.remaining.size > 0) context.requeueAfter(podsRemain ? podFallbackMs : lookAgainMs);
  else if (content.failures.length > 0) throw new Error(content.failures[0]);
  else await release(current, context);
}

/** Deletes all objects of a kind, and notes what stays. */
async function empty(kind: Kind, namespace: string, client: Client, content: Content): Promise<void> {
  try {
    let next: string | undefined;
    do {
      const page = await client.list(kind, { namespace, limit: pageSize, ...(next ? { continue: next } : {}) });
      await deleteAll(kind, page.items, client);
      next = page.metadata.continue;
    } while (next);
    const { items } = await client.list(kind, { namespace });
    if (items.length > 0) content.remaining.set(groupResource(kind), items.length);
    for (const finalizer of items.flatMap((item) => item.metadata.finalizers ?? [])) {
      content.finalizers.set(finalizer, (content.finalizers.get(finalizer) ?? 0) + 1);
    }
  } catch (error) {
    // The kind itself has gone, e.g. with its custom resource definition.
    if (!isStatus(error, 'NotFound', 'MethodNotAllowed')) content.failures.push(errorChain(error));
  }
}

async function deleteAll(kind: Kind, items: readonly KubeObject[], client: Client): Promise<void> {
  const pending = items.filter((item) => item.metadata.deletionTimestamp === undefined);
  for (let i = 0; i < pending.length; i += parallelDeletions) {
    await Promise.all(pending.slice(i, i + parallelDeletions).map((item) => deleteOne(kind, item, client)));
  }
}

async function deleteOne(kind: Kind, { metadata: { namespace = '', name, uid } }: KubeObject, client: Client): Promise<void> {
  try {
    await client.delete(kind, { namespace, name }, { propagationPolicy: 'Background', preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
  }
}

async function writeConditions(namespace: Namespace, content: Content, { client, clock }: ReconcileContext): Promise<Namespace> {
  const conditions = conditionsFor(namespace.status.conditions, remainingOf(content), clock.now());
  if (equalJson(conditions, namespace.status.conditions)) return namespace;
  const status = { ...namespace.status, phase: 'Terminating', conditions: [...conditions] };
  return client.update(Namespace, { ...namespace, status }, { subresource: 'status' });
}

async function release(namespace: Namespace, { client }: ReconcileContext): Promise<void> {
  const finalizers = (namespace.spec.finalizers ?? []).filter((f) => f !== kubernetesFinalizer);
  await client.update(Namespace, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: 'finalize' });
}
