import type { PodDisruptionBudgetStatus } from '../../../api/generated/types.ts';
import { Deployment } from '../../../api/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ReplicationController } from '../../../api/kinds/core/replication-controller.ts';
import { PodDisruptionBudget } from '../../../api/kinds/policy/pod-disruption-budget.ts';
import { keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { millisecondsOf, timestamp } from '../../../api/timestamp.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerOf } from '../../../reconcile/owners.ts';
import type { InformerOf } from '../../../reconcile/watches.ts';
import { mapped, primary, reads } from '../../../reconcile/watches.ts';
import { withCondition } from '../support/conditions.ts';
import { scaledValue } from '../support/int-or-percent.ts';
import { isReady, isTerminal } from '../support/pods.ts';

/** An eviction that was allowed but whose pod is still there counts as a disruption for this long. */
const disruptedMs = 2 * 60_000;

function budgetsOf(pod: Pod, informer: InformerOf): string[] {
  const budgets = informer(PodDisruptionBudget).list(pod.metadata.namespace);
  return budgets.filter((b) => matchesLabelSelector(b.spec.selector, pod.metadata.labels)).map(keyOf);
}

/** Keeps the status of PodDisruptionBudgets: how many pods may be evicted now (upstream: pkg/controller/disruption). */
export const disruptionController = defineController({
  name: 'disruption',
  watches: [
    primary(PodDisruptionBudget),
    mapped(Pod, budgetsOf, {
      changed: (next, previous) =>
        isReady(next) !== isReady(previous) ||
        isTerminal(next) !== isTerminal(previous) ||
        next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
        !equalJson(next.metadata.labels, previous.metadata.labels),
    }),
    reads(ReplicaSet),
    reads(Deployment),
    reads(StatefulSet),
    reads(ReplicationController),
  ],
  async reconcile(key, context) {
    const { client, informer, clock, requeueAfter } = context;
    const budget = informer(PodDisruptionBudget).get(key);
    if (!budget) return;
    const pods = informer(Pod)
      .list(budget.metadata.namespace)
      .filter((pod) => matchesLabelSelector(budget.spec.selector, pod.metadata.labels) && !isTerminal(pod));
    const status = budgetStatus(budget, pods, { scale: expectedScale(pods, context), nowMs: clock.now() });
    if (!equalJson(status, budget.status))
      await client.update(PodDisruptionBudget, { ...budget, status }, { subresource: 'status' });
    const soonest = Math.min(
      ...Object.values(status.disruptedPods ?? {}).map((at) => millisecondsOf(at) + disruptedMs - clock.now()),
    );
    if (soonest < Number.POSITIVE_INFINITY) requeueAfter(Math.max(1000, soonest));
  },
});

/** How many pods the controllers of these pods want in all. */
function expectedScale(pods: readonly Pod[], { informer }: ReconcileContext): number {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) continue;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    const set = owner.kind === 'ReplicaSet' ? informer(ReplicaSet).get(key) : undefined;
    const parent = set && controllerOf(set);
    if (parent?.kind === 'Deployment') {
      const deployment = informer(Deployment).get(`${pod.metadata.namespace}/${parent.name}`);
      scales.set(parent.uid, deployment?.spec.replicas ?? 0);
      continue;
    }
    const replicas =
      set?.spec.replicas ??
      (owner.kind === 'StatefulSet' ? informer(StatefulSet).get(key)?.spec.replicas : undefined) ??
      (owner.kind === 'ReplicationController' ? informer(ReplicationController).get(key)?.spec?.replicas : undefined);
    if (replicas !== undefined) scales.set(owner.uid, replicas);
  }
  return [...scales.values()].reduce((a, b) => a + b, 0);
}

/** The counts of a budget. Percentages are of `scale`, what the pods' controllers want; plain numbers of minAvailable of the pods there are. */
function budgetStatus(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { scale, nowMs }: { scale: number; nowMs: number },
): PodDisruptionBudgetStatus {
  const { minAvailable, maxUnavailable } = budget.spec;
  let expected = pods.length;
  let desired = 0;
  if (maxUnavailable !== undefined) {
    expected = scale;
    desired = Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up'));
  } else if (typeof minAvailable === 'string') {
    expected = scale;
    desired = scaledValue(minAvailable, expected, 'up');
  } else desired = minAvailable ?? 0;
  const disruptedPods = stillDisrupted(budget, pods, nowMs);
  const healthy = pods.filter(
    (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods),
  );
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy.length - desired);
  const { generation } = budget.metadata;
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime: timestamp(nowMs),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return {
    currentHealthy: healthy.length,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    conditions: [...withCondition(budget.status.conditions, condition)],
  };
}

function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): Record<string, string> {
  const alive = new Set(pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.metadata.name));
  return Object.fromEntries(
    Object.entries(budget.status.disruptedPods ?? {}).filter(
      ([name, at]) => alive.has(name) && millisecondsOf(at) + disruptedMs > nowMs,
    ),
  );
}
