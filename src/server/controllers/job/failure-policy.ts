import type {
  ContainerStatus,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
} from '../../../api/generated/types.ts';
import type { Job } from '../../../api/kinds/batch/job.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';

/** What spec.podFailurePolicy says of one failed pod; `Count` when no rule matches. */
export interface FailureVerdict {
  readonly action: 'Count' | 'Ignore' | 'FailJob' | 'FailIndex';
  /** For FailJob, in upstream's words. */
  readonly message?: string;
}

/** What the first rule that matches a failed pod says; it counts when none does. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const what = rule.onExitCodes ? exitCodeMatch(rule.onExitCodes, pod) : conditionMatch(rule, pod);
    if (what === undefined) continue;
    const action = rule.action as FailureVerdict['action'];
    return action === 'FailJob' ? { action, message: `${what} matching FailJob rule at index ${index}` } : { action };
  }
  return { action: 'Count' };
}

function exitCodeMatch(requirement: PodFailurePolicyOnExitCodesRequirement, pod: Pod): string | undefined {
  const { containerName, operator, values } = requirement;
  const statuses: ContainerStatus[] = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  for (const { name, state } of statuses) {
    const code = state?.terminated?.exitCode;
    if (code === undefined || code === 0 || (containerName && containerName !== name)) continue;
    if (values.includes(code) !== (operator === 'In')) continue;
    return `Container ${name} for pod ${pod.metadata.namespace}/${pod.metadata.name} failed with exit code ${code}`;
  }
  return undefined;
}

function conditionMatch(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  for (const { type, status = 'True' } of rule.onPodConditions ?? []) {
    if (!pod.status.conditions?.some((c) => c.type === type && c.status === status)) continue;
    return `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${type}`;
  }
  return undefined;
}
