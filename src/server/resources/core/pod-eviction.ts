import type { BodyKind } from '../../../api/codec/decode-body.ts';
import type { PodDisruptionBudget as Budget, Eviction as EvictionType } from '../../../api/generated/types.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../../api/kinds/policy/pod-disruption-budget.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { badRequest, conflict, isStatus, StatusError } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { deleteRequestOf } from '../../handlers/delete.ts';
import { checkDeletePreconditions, type DeleteRequest } from '../../registry/delete.ts';
import { statusRules } from '../../registry/update.ts';
import type { PostedSubresource, SubresourceContext } from '../subresource.ts';

const evictionBody: BodyKind = { group: 'policy', version: 'v1', kind: 'Eviction', type: 'Eviction' };
const retryUnobservedSeconds = 10;
/** A budget remembers at most this many evicted pods that are not gone yet (kubernetes: eviction.go MaxDisruptedPodSize). */
const maxDisruptedPods = 2000;

/** `POST pods/<name>/eviction`: a deletion that respects disruption budgets (kubernetes: pkg/registry/core/pod/storage/eviction.go). */
export const podEviction: PostedSubresource = {
  body: evictionBody,
  async post(context, body) {
    const eviction = body as unknown as EvictionType;
    const { deps, call, key } = context;
    if (eviction.metadata.name !== key.name) {
      throw badRequest('name in URL does not match name in Eviction object');
    }
    const pod = deps.registry.get(Pod, key);
    const request = deleteRequestOf(eviction.deleteOptions ?? {});
    const evicting = { ...call, dryRun: call.dryRun || (eviction.deleteOptions?.dryRun?.length ?? 0) > 0 };
    const asEvicting = { ...context, call: evicting };
    if (!ignoresBudgets(pod)) await chargeBudget(asEvicting, pod);
    await deps.registry.delete(evicting, Pod, key, evicting.dryRun ? request : await explain(asEvicting, request));
    return { code: 201, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
  },
};

/** Writes into the pod's status why it goes: Jobs and people tell disruptions from failures by that. Returns the request for the pod as it is then. */
async function explain({ deps, call, key }: SubresourceContext, request: DeleteRequest): Promise<DeleteRequest> {
  const { object } = await deps.registry.update(call, Pod, {
    key,
    unconditional: true,
    rules: statusRules(Pod),
    transform(current) {
      checkDeletePreconditions(Pod, current!, request);
      return disrupted(current!, deps.clock.now());
    },
  });
  if (request.preconditions?.resourceVersion === undefined) return request;
  return { ...request, preconditions: { ...request.preconditions, resourceVersion: object.metadata.resourceVersion } };
}

function disrupted(pod: Pod, nowMs: number): Pod {
  const { conditions = [] } = pod.status;
  const before = conditions.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  const lastTransitionTime = before?.lastTransitionTime ?? timestamp(nowMs);
  const why = { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' };
  const condition = { type: 'DisruptionTarget', status: 'True', ...why, lastTransitionTime };
  pod.status.conditions = [...conditions.filter(({ type }) => type !== condition.type), condition];
  return pod;
}

/** Pods that serve nobody may always go. */
function ignoresBudgets(pod: Pod): boolean {
  const { phase } = pod.status;
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
}

async function chargeBudget(context: SubresourceContext, pod: Pod): Promise<void> {
  const { deps, call, key } = context;
  const budgets = deps.registry.deps.objects
    .list(PodDisruptionBudget, key.namespace)
    .filter((budget) => matchesLabelSelector(budget.spec?.selector, pod.metadata.labels));
  const [budget, ...others] = budgets;
  if (!budget) return;
  if (others.length > 0) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError({ code: 500, reason: '', message });
  }
  if (unhealthyMayGo(pod, budget)) return;
  try {
    await deps.registry.update(call, PodDisruptionBudget, {
      key: { namespace: budget.metadata.namespace, name: budget.metadata.name },
      unconditional: true,
      rules: statusRules(PodDisruptionBudget),
      transform: (current) => charged(current!, pod, deps.clock.now()),
    });
  } catch (error) {
    if (isStatus(error, 'NotFound')) return;
    if (isStatus(error, 'Conflict')) throw conflict(Pod, pod.metadata.name, 'the disruption budget is being changed by others');
    throw error;
  }
}

/** A pod that is not ready costs no availability when the budget is met, or when its policy says so. */
function unhealthyMayGo(pod: Pod, budget: Budget): boolean {
  if (pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function charged(budget: Budget, pod: Pod, nowMs: number): Budget {
  const status = (budget.status ??= {});
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    throw tooManyEvictions("Cannot evict pod as it would violate the pod's disruption budget.", {
      message: `The disruption budget ${budget.metadata.name} is still being processed by the server.`,
      retryAfterSeconds: retryUnobservedSeconds,
    });
  }
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed <= 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status;
    const message = `The disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
    throw tooManyEvictions("Cannot evict pod as it would violate the pod's disruption budget.", { message });
  }
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisruptedPods) {
    throw tooManyEvictions('too many evicted pods of this budget are not gone yet', { message: budget.metadata.name });
  }
  status.disruptionsAllowed = allowed - 1;
  (status.disruptedPods ??= {})[pod.metadata.name] = timestamp(nowMs);
  return budget;
}

function tooManyEvictions(message: string, cause: { message: string; retryAfterSeconds?: number }): StatusError {
  const { retryAfterSeconds } = cause;
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: {
      causes: [{ reason: 'DisruptionBudget', message: cause.message }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  });
}
