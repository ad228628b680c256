import type { NodeCondition } from '../../api/generated/types.ts';
import { timeText } from '../status/container-status.ts';
import type { HostFacts, HostLoad } from './host-facts.ts';

type Verdict = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

/** Upstream's hard eviction thresholds. */
export const minMemoryBytes = 100 * 1024 * 1024;
const minDiskShare = 0.1;
const maxProcessShare = 0.9;

/** The exact remedy for the most common problem on a Raspberry Pi. */
const memoryCgroupHint =
  'the memory cgroup is switched off, so pods cannot be limited: add "cgroup_enable=memory cgroup_memory=1" to the end of the one line in ' +
  '/boot/firmware/cmdline.txt (older systems: /boot/cmdline.txt) and reboot';

export interface NodeHealth {
  readonly facts: HostFacts;
  readonly load: HostLoad;
  readonly memoryCgroup: boolean;
  /** Empty when the runtime is usable. */
  readonly runtimeProblem: string;
  /** Empty when pods can be given a network. */
  readonly networkProblem: string;
}

/** The conditions of a node with upstream's reasons and messages. */
export function nodeVerdicts(health: NodeHealth): Verdict[] {
  const { load } = health;
  const memory = load.memoryAvailableBytes < minMemoryBytes;
  const disk = load.diskAvailableBytes < load.diskCapacityBytes * minDiskShare;
  const processes = load.processes > load.maxProcesses * maxProcessShare;
  return [
    memory
      ? verdict('MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available')
      : verdict('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    disk
      ? verdict('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
      : verdict('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    processes
      ? verdict('PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
      : verdict('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    ready(health),
  ];
}

function ready({ memoryCgroup, runtimeProblem, networkProblem }: NodeHealth): Verdict {
  const problems = [
    memoryCgroup ? '' : memoryCgroupHint,
    runtimeProblem && `container runtime is down: ${runtimeProblem}`,
    networkProblem && `container runtime network not ready: ${networkProblem}`,
  ].filter((p) => p !== '');
  if (problems.length > 0) return verdict('Ready', 'False', 'KubeletNotReady', problems.join('; '));
  return verdict('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status');
}

const verdict = (type: string, status: string, reason: string, message: string): Verdict => ({ type, status, reason, message });

/** Adds times: of this look, and of the last change. Conditions of others are kept. */
export function timedConditions(
  verdicts: readonly Verdict[],
  previous: readonly NodeCondition[],
  nowMs: number,
): NodeCondition[] {
  const now = timeText(nowMs);
  const own = verdicts.map((v) => {
    const before = previous.find((c) => c.type === v.type);
    const lastTransitionTime = before?.status === v.status ? (before.lastTransitionTime ?? now) : now;
    return { ...v, lastHeartbeatTime: now, lastTransitionTime };
  });
  return [...own, ...previous.filter((c) => !verdicts.some((v) => v.type === c.type))];
}
