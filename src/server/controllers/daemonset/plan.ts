import type { DaemonSetStatus } from '../../../api/generated/types.ts';
import type { DaemonSet } from '../../../api/kinds/apps/daemon-set.ts';
import type { Node } from '../../../api/kinds/core/node.ts';
import type { Pod } from '../../../api/kinds/core/pod.ts';
import { scaledValue } from '../support/int-or-percent.ts';
import { byAge } from '../support/order.ts';
import { isAvailable, isReady } from '../support/pods.ts';
import { fitOf, nodeOf } from './nodes.ts';

export interface DaemonView {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** All pods of the set, also those that are ending. */
  readonly pods: readonly Pod[];
  /** The label value of pods of the current template. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Nodes that get a pod. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
}

/** On pods: the template they were made from. */
export const revisionHashLabel = 'controller-revision-hash';

const isEnding = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const isOver = (pod: Pod): boolean => pod.status.phase === 'Failed' || pod.status.phase === 'Succeeded';

/** Pods to create and delete now (upstream: pkg/controller/daemon, manage and rollingUpdate). */
export function planDaemons(view: DaemonView): DaemonPlan {
  const { set, nodes } = view;
  const byNode = podsByNode(view.pods);
  const create: string[] = [];
  const doomed: Pod[] = [];
  for (const node of nodes) {
    const { run, stay } = fitOf(set, node);
    const pods = byNode.get(node.metadata.name) ?? [];
    byNode.delete(node.metadata.name);
    if (!stay) doomed.push(...pods);
    else settleNode(node.metadata.name, { run, pods, view, create, doomed });
  }
  // Pods whose node is gone, or that are meant for no node.
  for (const pods of byNode.values()) doomed.push(...pods);
  if (set.spec.updateStrategy?.type === 'RollingUpdate') rollOn(view, { create, doomed });
  return { create, delete: doomed.filter((pod) => !isEnding(pod)) };
}

function settleNode(
  name: string,
  { run, pods, view, create, doomed }: { run: boolean; pods: readonly Pod[]; view: DaemonView; create: string[]; doomed: Pod[] },
): void {
  const over = pods.filter((pod) => isOver(pod) && !isEnding(pod));
  doomed.push(...over);
  const alive = pods.filter((pod) => !over.includes(pod));
  if (run && alive.length === 0 && over.length === 0) create.push(name);
  const running = alive.filter((pod) => !isEnding(pod)).sort(byAge);
  // One old and one new pod may stand side by side while a surge is under way.
  const surge = surgeOf(view) > 0;
  const keep = new Set<Pod>();
  for (const isNew of surge ? [true, false] : [undefined]) {
    const oldest = running.find((pod) => isNew === undefined || isUpdated(pod, view) === isNew);
    if (oldest) keep.add(oldest);
  }
  doomed.push(...running.filter((pod) => !keep.has(pod)));
}

function rollOn(view: DaemonView, { create, doomed }: { create: string[]; doomed: Pod[] }): void {
  const gone = new Set(doomed);
  const byNode = podsByNode(view.pods.filter((pod) => !gone.has(pod)));
  const eligible = view.nodes.filter((node) => fitOf(view.set, node).run);
  if (surgeOf(view) > 0) rollWithSurge(view, { eligible, byNode, create, doomed });
  else rollInPlace(view, { eligible, byNode, doomed });
}

/** Old pods that serve nobody go at once; available ones while not too many nodes are without. */
function rollInPlace(
  view: DaemonView,
  { eligible, byNode, doomed }: { eligible: readonly Node[]; byNode: ReadonlyMap<string, Pod[]>; doomed: Pod[] },
): void {
  const candidates: Pod[] = [];
  let unavailable = 0;
  for (const node of eligible) {
    const pods = (byNode.get(node.metadata.name) ?? []).filter((pod) => !isEnding(pod));
    const old = pods.find((pod) => !isUpdated(pod, view));
    const serves = pods.some((pod) => availableIn(pod, view));
    if (!serves) unavailable++;
    if (old && !serves) doomed.push(old);
    else if (old) candidates.push(old);
  }
  const allowed = scaledValue(view.set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up');
  doomed.push(...candidates.slice(0, Math.max(0, allowed - unavailable)));
}

/** New pods come first, beside the old ones; an old one goes when its successor is available. */
function rollWithSurge(
  view: DaemonView,
  {
    eligible,
    byNode,
    create,
    doomed,
  }: { eligible: readonly Node[]; byNode: ReadonlyMap<string, Pod[]>; create: string[]; doomed: Pod[] },
): void {
  let surging = 0;
  const waiting: string[] = [];
  for (const node of eligible) {
    const pods = (byNode.get(node.metadata.name) ?? []).filter((pod) => !isEnding(pod));
    const old = pods.find((pod) => !isUpdated(pod, view));
    const next = pods.find((pod) => isUpdated(pod, view));
    if (!old) continue;
    if (!next && availableIn(old, view)) waiting.push(node.metadata.name);
    else if (!next || availableIn(next, view)) doomed.push(old);
    else surging++;
  }
  create.push(...waiting.slice(0, Math.max(0, surgeOf(view) - surging)));
}

function surgeOf({ set, nodes }: DaemonView): number {
  const rolling = set.spec.updateStrategy?.rollingUpdate;
  return set.spec.updateStrategy?.type === 'RollingUpdate' ? scaledValue(rolling?.maxSurge ?? 0, nodes.length, 'up') : 0;
}

function isUpdated(pod: Pod, { hash }: DaemonView): boolean {
  return pod.metadata.labels?.[revisionHashLabel] === hash;
}

function availableIn(pod: Pod, { set, nowMs }: DaemonView): boolean {
  return !isEnding(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

function podsByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = nodeOf(pod) ?? '';
    byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  return byNode;
}

/** The counts a DaemonSet reports; the oldest pod of a node stands for it. */
export function daemonStatus(view: DaemonView): DaemonSetStatus {
  const { set, nodes } = view;
  const byNode = podsByNode(view.pods);
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const pods = [...(byNode.get(node.metadata.name) ?? [])].sort(byAge);
    if (!fitOf(set, node).run) {
      if (pods.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    const [pod] = pods;
    if (!pod) continue;
    counts.current++;
    if (isReady(pod)) counts.ready++;
    if (pods.some((p) => availableIn(p, view))) counts.available++;
    if (pods.some((p) => isUpdated(p, view))) counts.updated++;
  }
  const { collisionCount, conditions } = set.status;
  return {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation ?? 0,
    ...(counts.updated > 0 ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available > 0 ? { numberAvailable: counts.available } : {}),
    ...(counts.desired > counts.available ? { numberUnavailable: counts.desired - counts.available } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions ? { conditions } : {}),
  };
}
