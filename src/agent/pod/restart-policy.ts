import type { Container, Pod } from '../../api/generated/types.ts';

/**
 * Whether a container that ended with this code is started again: its own rules first, then its own policy, then the pod's.
 * Rule: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy.
 */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? [];
    const matches = rule.exitCodes?.operator === 'NotIn' ? !values.includes(exitCode) : values.includes(exitCode);
    if (matches && rule.action === 'Restart') return true;
  }
  switch (policyOf(pod, container)) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return true;
  }
}

/** An init container of a pod that always restarts is retried until it succeeds. */
export function initRestartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  return exitCode !== 0 && restartsAfter(pod, container, exitCode);
}

function policyOf(pod: Pod, container: Container): string {
  return container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
}
