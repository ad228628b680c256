import type { ContainerStatus, Pod, PodCondition } from '../../api/generated/types.ts';
import { isSidecar } from '../resources/qos.ts';
import type { Phase } from './pod-phase.ts';

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

export interface ConditionInput {
  readonly pod: Pod;
  readonly phase: Phase;
  readonly init: readonly ContainerStatus[];
  readonly app: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
}

/** The conditions the node owns, in upstream's order and with its reasons and messages. */
export function podVerdicts(input: ConditionInput): Verdict[] {
  return [
    { type: 'PodReadyToStartContainers', status: input.sandboxReady ? 'True' : 'False' },
    initialized(input),
    ready(input),
    containersReady(input, 'ContainersReady'),
    { type: 'PodScheduled', status: 'True' },
  ];
}

function initialized({ pod, phase, init }: ConditionInput): Verdict {
  const type = 'Initialized';
  const specs = pod.spec.initContainers ?? [];
  if (phase === 'Succeeded') return { type, status: 'True', ...(specs.length > 0 ? { reason: 'PodCompleted' } : {}) };
  const incomplete = specs
    .filter((spec) => {
      const status = init.find((s) => s.name === spec.name);
      if (isSidecar(spec)) return !(status?.started || status?.lastState?.terminated || status?.state?.terminated);
      return (status?.state?.terminated ?? status?.lastState?.terminated)?.exitCode !== 0;
    })
    .map((spec) => spec.name);
  if (incomplete.length === 0) return { type, status: 'True' };
  return {
    type,
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  };
}

function containersReady({ pod, phase, init, app }: ConditionInput, type: string): Verdict {
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const needed = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers].map((c) => c.name);
  const all = [...init, ...app];
  const unready = needed.filter((name) => !all.find((s) => s.name === name)?.ready);
  if (unready.length === 0) return { type, status: 'True' };
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function ready(input: ConditionInput): Verdict {
  const containers = containersReady(input, 'Ready');
  if (containers.status !== 'True') return containers;
  const messages: string[] = [];
  for (const { conditionType } of input.pod.spec.readinessGates ?? []) {
    const gate = input.pod.status?.conditions?.find((c) => c.type === conditionType);
    if (!gate) messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (gate.status !== 'True')
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
  }
  if (messages.length === 0) return containers;
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/**
 * Gives verdicts the time of their last change. Conditions of others (readiness gates, DisruptionTarget) are kept as they are.
 */
export function mergeConditions(
  verdicts: readonly Verdict[],
  previous: readonly PodCondition[],
  context: { now: string; generation: number | undefined },
): PodCondition[] {
  const merged = verdicts.map((verdict) => {
    const before = previous.find((c) => c.type === verdict.type);
    const condition: PodCondition = {
      ...verdict,
      lastTransitionTime: before?.status === verdict.status ? (before.lastTransitionTime ?? context.now) : context.now,
      ...(context.generation === undefined ? {} : { observedGeneration: context.generation }),
    };
    return condition;
  });
  const owned = new Set(verdicts.map((v) => v.type));
  return [...merged, ...previous.filter((c) => !owned.has(c.type))];
}
