import type { LabelSelector, PodTemplateSpec, ReplicaSetCondition, ReplicaSetStatus } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { type KubeObject, keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabelSelector, matchesLabels } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { errorChain } from '../../../lib/log.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerOf, controllerReference } from '../../../reconcile/owners.ts';
import { mapped, ownedBy, primary } from '../../../reconcile/watches.ts';
import { conditionOf, withCondition, withoutCondition } from '../support/conditions.ts';
import { isActive, isAvailable, isReady, isTerminating, podFromTemplate, untilAvailableMs } from '../support/pods.ts';
import { slowStart } from '../support/slow-start.ts';
import { claim } from './claim.ts';
import { podsToDelete } from './ranking.ts';

/** What the two kinds that keep a number of pods (ReplicaSet, ReplicationController) have in common. */
export interface ReplicaOwner extends KubeObject {
  status: ReplicaSetStatus;
}

/** The wish of a replica owner. */
export interface ReplicaWish {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
}

/** Pods created or deleted in one go; the rest follows in the next reconcile (upstream's BurstReplicas). */
const burstReplicas = 500;

export type ReplicaPlan =
  | { readonly create: number; readonly delete?: undefined }
  | { readonly create?: undefined; readonly delete: readonly Pod[] };

/** How many pods to create, or which to delete. */
function planReplicas(wanted: number, active: readonly Pod[], related: readonly Pod[], nowMs: number): ReplicaPlan {
  const missing = wanted - active.length;
  if (missing >= 0) return { create: Math.min(missing, burstReplicas) };
  return { delete: podsToDelete(active, Math.min(-missing, burstReplicas), related, nowMs) };
}

/** The status that describes `pods` (active) and `terminating`. `failure` is why the last creation or deletion did not work. */
function replicaStatus(options: {
  owner: ReplicaOwner;
  wish: ReplicaWish;
  active: readonly Pod[];
  terminating: number;
  failure: { reason: string; message: string } | undefined;
  nowMs: number;
}): ReplicaSetStatus {
  const { owner, wish, active, terminating, failure, nowMs } = options;
  const templateLabels = wish.template.metadata?.labels;
  const conditions = failureCondition(owner.status.conditions, failure, nowMs);
  const { generation } = owner.metadata;
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((p) => matchesLabels(templateLabels, p.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((p) => isAvailable(p, wish.minReadySeconds, nowMs)).length,
    ...(owner.kind === 'ReplicaSet' ? { terminatingReplicas: terminating } : {}),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(conditions.length > 0 ? { conditions: [...conditions] } : {}),
  };
}

function failureCondition(
  conditions: readonly ReplicaSetCondition[] | undefined,
  failure: { reason: string; message: string } | undefined,
  nowMs: number,
): readonly ReplicaSetCondition[] {
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  // The first failure stands: each message names another pod, and a status that is written every time wakes this controller every time.
  if (conditionOf(conditions, 'ReplicaFailure')) return conditions ?? [];
  return withCondition(conditions, { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: timestamp(nowMs) });
}

/** The controller that keeps the number of pods for one of the kinds. */
export function replicaController<T extends ReplicaOwner>(options: {
  name: string;
  kind: Kind<T>;
  wishOf: (owner: T) => ReplicaWish;
}): ControllerDefinition {
  const { name, kind, wishOf } = options;
  return defineController({
    name,
    watches: [
      primary(kind),
      ownedBy(Pod, kind),
      mapped(Pod, (pod, informer) => {
        if (controllerOf(pod)) return [];
        const owners = informer(kind).list(pod.metadata.namespace);
        return owners.filter((o) => matchesLabelSelector(wishOf(o).selector, pod.metadata.labels)).map(keyOf);
      }),
    ],
    concurrency: 5,
    async reconcile(key, context) {
      const owner = context.informer(kind).get(key);
      if (!owner) return;
      const wish = wishOf(owner);
      const lister = context.informer(Pod);
      const pods = await claim({
        ...context,
        owner,
        ownerKind: kind,
        kind: Pod,
        lister,
        selector: wish.selector,
        adoptable: isActive,
      });
      const active = pods.filter(isActive);
      const nowMs = context.clock.now();
      let failure: { reason: string; message: string } | undefined;
      if (owner.metadata.deletionTimestamp === undefined) {
        const related = relatedPods(owner, kind, context);
        failure = await apply(planReplicas(wish.replicas, active, related, nowMs), { owner, kind, wish, context });
      }
      const terminating = pods.filter(isTerminating).length;
      const status = replicaStatus({ owner, wish, active, terminating, failure, nowMs });
      if (!equalJson(status, owner.status)) await context.client.update(kind, { ...owner, status }, { subresource: 'status' });
      const waitMs = untilAvailableMs(active, wish.minReadySeconds, nowMs);
      if (waitMs !== undefined) context.requeueAfter(waitMs);
      if (failure) throw new Error(failure.message);
    },
  });
}

/** The pods of all sets that have the same controlling owner as this one. */
function relatedPods<T extends ReplicaOwner>(owner: T, kind: Kind<T>, { informer }: ReconcileContext): Pod[] {
  const parent = controllerOf(owner);
  const siblings = parent ? informer(kind).byIndex(standardIndexes.controller, parent.uid) : [owner];
  return siblings.flatMap((set) => informer(Pod).byIndex(standardIndexes.controller, set.metadata.uid).filter(isActive));
}

async function apply<T extends ReplicaOwner>(
  plan: ReplicaPlan,
  { owner, kind, wish, context }: { owner: T; kind: Kind<T>; wish: ReplicaWish; context: ReconcileContext },
): Promise<{ reason: string; message: string } | undefined> {
  const { client, events } = context;
  const namespace = owner.metadata.namespace ?? '';
  if (plan.delete) {
    const results = await Promise.allSettled(
      plan.delete.map(async ({ metadata: { name, uid } }) => {
        try {
          await client.delete(Pod, { namespace, name }, { preconditions: { uid } });
        } catch (error) {
          if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
          return;
        }
        events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      }),
    );
    const failed = results.find((r) => r.status === 'rejected');
    return failed ? { reason: 'FailedDelete', message: errorChain(failed.reason) } : undefined;
  }
  const draft = podFromTemplate({
    template: wish.template,
    namespace,
    name: `${owner.metadata.name}-`,
    owner: controllerReference(kind, owner),
  });
  const error = await slowStart(plan.create, async () => {
    const pod = await client.create(Pod, draft);
    events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  });
  if (error === undefined || isNamespaceGoing(error)) return undefined;
  events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${errorChain(error)}`);
  return { reason: 'FailedCreate', message: errorChain(error) };
}

/** In a namespace that is being deleted nothing can be created, and nothing needs to be. */
function isNamespaceGoing(error: unknown): boolean {
  return isStatus(error, 'Forbidden') && (error.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating');
}
