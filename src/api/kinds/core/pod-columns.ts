import type * as t from '../../generated/types.ts';
import type { Column, RowCondition } from '../../kind.ts';
import { ageColumn, nameColumn, none, orNone } from '../../table/columns.ts';
import { age } from '../../table/duration.ts';

/** How `kubectl get pods` sums up a pod. kubernetes: pkg/printers/internalversion/printers.go (printPod). */
export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  /** RFC 3339; empty when no container was restarted. */
  readonly lastRestart: string;
}

interface Count {
  restarts: number;
  lastRestart: string;
}

interface Progress {
  status: string;
  ready: number;
  /** An init container is still running or has failed. */
  initializing: boolean;
  all: Count;
  sidecars: Count;
}

function summarizePod(pod: t.Pod): PodSummary {
  const spec = pod.spec ?? { containers: [] };
  const status = pod.status ?? {};
  const sidecars = new Set((spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
  const total = (spec.containers?.length ?? 0) + sidecars.size;
  const init = initProgress(pod, sidecars);
  if (init.initializing && !isTrue(status, 'Initialized')) {
    return { ready: init.ready, total, status: deletionStatus(pod, init.status), ...init.all };
  }
  const main = mainProgress(status, init);
  return { ready: main.ready, total, status: deletionStatus(pod, main.status), ...main.count };
}

function phaseText(status: t.PodStatus): string {
  if (status.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')) return 'SchedulingGated';
  return status.reason || status.phase || '';
}

function initProgress(pod: t.Pod, sidecars: ReadonlySet<string>): Progress {
  const status = pod.status ?? {};
  const all: Count = { restarts: 0, lastRestart: '' };
  const ofSidecars: Count = { restarts: 0, lastRestart: '' };
  let ready = 0;
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    count(all, container);
    const isSidecar = sidecars.has(container.name);
    if (isSidecar) count(ofSidecars, container);
    if (container.state?.terminated?.exitCode === 0) continue;
    if (isSidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    const text = initStatus(container, `${i}/${pod.spec.initContainers?.length ?? 0}`);
    return { status: text, ready, initializing: true, all, sidecars: ofSidecars };
  }
  return { status: phaseText(status), ready, initializing: false, all, sidecars: ofSidecars };
}

function initStatus({ state = {} }: t.ContainerStatus, progress: string): string {
  const { terminated, waiting } = state;
  if (terminated) return `Init:${terminatedText(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${progress}`;
}

function terminatedText({ reason, signal, exitCode }: t.ContainerStateTerminated): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function mainProgress(status: t.PodStatus, init: Progress): { status: string; ready: number; count: Count } {
  const total = { ...init.sidecars };
  let { ready, status: text } = init;
  let running = false;
  let failure = '';
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    count(total, container);
    const { waiting, terminated, running: now } = container.state ?? {};
    if (waiting?.reason) text = waiting.reason;
    else if (terminated) {
      text = terminatedText(terminated);
      if (terminated.exitCode !== 0) failure = text;
    } else if (container.ready && now) {
      running = true;
      ready++;
    }
  }
  if (text === 'Completed') {
    if (running && isTrue(status, 'Ready')) text = 'Running';
    else if (failure) text = failure;
    else if (running) text = 'NotReady';
  }
  return { status: text, ready, count: total };
}

function deletionStatus(pod: t.Pod, text: string): string {
  if (!pod.metadata.deletionTimestamp) return text;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  const phase = pod.status?.phase;
  return phase === 'Succeeded' || phase === 'Failed' ? text : 'Terminating';
}

function count(into: Count, container: t.ContainerStatus): void {
  into.restarts += container.restartCount ?? 0;
  const finished = container.lastState?.terminated?.finishedAt ?? '';
  if (finished > into.lastRestart) into.lastRestart = finished;
}

function isTrue(status: t.PodStatus, type: string): boolean {
  return status.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
}

function restartsText({ restarts, lastRestart }: PodSummary, nowMs: number): string {
  return restarts > 0 && lastRestart ? `${restarts} (${age(lastRestart, nowMs)} ago)` : String(restarts);
}

function readinessGates(pod: t.Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  return `${gates.filter((g) => isTrue(pod.status ?? {}, g.conditionType)).length}/${gates.length}`;
}

const completed = { type: 'Completed', status: 'True' } as const;

/** A pod that has ended is `Completed` as a row, whichever way it ended. */
export function podRowConditions({ status }: t.Pod): RowCondition[] {
  if (status?.phase === 'Succeeded') {
    return [{ ...completed, reason: 'Succeeded', message: 'The pod has completed successfully.' }];
  }
  return status?.phase === 'Failed' ? [{ ...completed, reason: 'Failed', message: 'The pod failed.' }] : [];
}

export const podColumns: readonly Column<t.Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    type: 'string',
    description: 'Containers that are ready, of all.',
    cell: (pod) => {
      const { ready, total } = summarizePod(pod);
      return `${ready}/${total}`;
    },
  },
  { name: 'Status', type: 'string', description: 'What the pod is doing.', cell: (pod) => summarizePod(pod).status },
  {
    name: 'Restarts',
    type: 'string',
    description: 'How often its containers were restarted, and when last.',
    cell: (pod, nowMs) => restartsText(summarizePod(pod), nowMs),
  },
  ageColumn,
  { name: 'IP', type: 'string', priority: 1, cell: (pod) => orNone(pod.status?.podIPs?.[0]?.ip) },
  { name: 'Node', type: 'string', priority: 1, cell: (pod) => orNone(pod.spec?.nodeName) },
  { name: 'Nominated Node', type: 'string', priority: 1, cell: (pod) => orNone(pod.status?.nominatedNodeName) },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGates },
];
