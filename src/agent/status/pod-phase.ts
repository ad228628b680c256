import type { Container, ContainerStatus, Pod } from '../../api/generated/types.ts';
import { isSidecar } from '../resources/qos.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

interface Statuses {
  readonly init: readonly ContainerStatus[];
  readonly app: readonly ContainerStatus[];
}

/**
 * The phase that follows from the states of the containers.
 * Rule: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase.
 */
export function podPhase(pod: Pod, { init, app }: Statuses): Phase {
  const specs = pod.spec.initContainers ?? [];
  let initPending = false;
  for (const spec of specs) {
    const status = init.find((s) => s.name === spec.name);
    const end = terminated(status);
    if (isSidecar(spec)) initPending ||= !status?.started && !app.some((s) => hasRun(s));
    else if (!end) initPending = true;
    else if (end.exitCode !== 0 && neverRestarts(pod, spec)) return 'Failed';
    else if (end.exitCode !== 0) initPending = true;
  }
  if (initPending) return 'Pending';
  const waiting = app.filter((s) => !s.state?.running && !terminated(s)).length;
  const running = app.filter((s) => s.state?.running).length;
  if (waiting > 0 || app.length < pod.spec.containers.length) return 'Pending';
  if (running > 0) return 'Running';
  const sidecarsRun = specs.some((spec) => isSidecar(spec) && init.find((s) => s.name === spec.name)?.state?.running);
  const codes = app.map((s) => terminated(s)!.exitCode);
  const willRestart = pod.spec.containers.some((spec, i) => restarts(pod, spec, codes[i] ?? 0));
  // A pod is over only when its sidecars have stopped too.
  if (willRestart || sidecarsRun) return 'Running';
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
}

function terminated(status: ContainerStatus | undefined): { exitCode: number } | undefined {
  return status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined);
}

const hasRun = (status: ContainerStatus): boolean =>
  Boolean(status.state?.running ?? status.state?.terminated ?? status.lastState?.terminated);

function neverRestarts(pod: Pod, spec: Container): boolean {
  return (spec.restartPolicy ?? pod.spec.restartPolicy) === 'Never' && !spec.restartPolicyRules?.length;
}

function restarts(pod: Pod, spec: Container, exitCode: number): boolean {
  const policy = spec.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}
